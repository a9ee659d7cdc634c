-- Every run asks which links are of leavers, to see whether they are back.
CREATE INDEX links_of_leavers ON links (student_id) WHERE gone_since_ms IS NOT NULL;
