-- ClassIn refuses some students for their phone number or e-mail address. Such a failure depends on the contact as well
-- as on what was wanted, and says so in a column of its own. Earlier versions mixed the contact's fingerprint into `want`
-- (want XOR contact) and did not say where. An old row cannot be taken apart here, because which contact it was is stored
-- nowhere. So it is marked: it goes on matching by the rule it was written under, and the first run that finds it matching
-- stores it in parts. Closed failures are history and never matched again.

-- Keyed fingerprint of the contact that the failure depends on; 0: that the roster has none; NULL: on no contact.
ALTER TABLE failures ADD COLUMN contact INTEGER;

-- apart: `want` is the hash of what was wanted and nothing else. mixed, perhaps mixed: as above.
ALTER TABLE failures ADD COLUMN contact_form TEXT NOT NULL DEFAULT 'apart'
    CHECK (contact_form IN ('apart', 'mixed', 'perhaps mixed') AND (contact_form = 'apart' OR contact IS NULL));

-- After a 228 (not a student of the school) the contact always was part of it, if only as none.
UPDATE failures
SET contact_form = CASE code WHEN '228' THEN 'mixed' ELSE 'perhaps mixed' END
WHERE service = 'classin' AND state IN ('waiting', 'dead', 'ignored');
