-- Of the enrolment in a whole course that an account leaves for a class of the course: 'leaving' from before the call until it is
-- known to be in a class, 'owed' once the class took nobody, until it is in the course again.
ALTER TABLE enrolments ADD COLUMN put_back TEXT NOT NULL DEFAULT 'no' CHECK (put_back IN ('no', 'leaving', 'owed'));
CREATE INDEX enrolments_put_back ON enrolments (put_back) WHERE put_back <> 'no';
