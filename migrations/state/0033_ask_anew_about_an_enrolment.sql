-- A membership may rest on something that ends by a call or by a person's hand: being in the whole course, or being left
-- in a class until a person takes the student out there. Then the record stays what it is, and ours stays ours to remove;
-- only it is added once more before it is believed.
ALTER TABLE enrolments ADD COLUMN needs_proof INTEGER NOT NULL DEFAULT 0 CHECK (needs_proof IN (0, 1));
