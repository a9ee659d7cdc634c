-- An account is believed for a reason: the contact it was obtained by, in which call, when. ClassIn may say later that
-- there is no such account (any more): then it is found anew, once a contact.
ALTER TABLE accounts ADD COLUMN obtained_by TEXT;
ALTER TABLE accounts ADD COLUMN obtained_code INTEGER;
-- When it was obtained; of accounts that an earlier version obtained NULL, as are both above.
ALTER TABLE accounts ADD COLUMN obtained_at_ms INTEGER;
-- The code by which ClassIn said that there is no such account; NULL where it did not.
ALTER TABLE accounts ADD COLUMN refused INTEGER;
-- Fingerprint of the contact by which it was found anew after such a code; NULL where that did not happen.
ALTER TABLE accounts ADD COLUMN found_anew INTEGER;

-- Nothing is looked up by contact any more: what was learnt for one student says nothing about another.
DROP INDEX accounts_by_contact;

-- Of a class without room one line is shown: by which code the roster names it, and how many wait.
ALTER TABLE full_classes ADD COLUMN class_code TEXT NOT NULL DEFAULT '';
ALTER TABLE full_classes ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
