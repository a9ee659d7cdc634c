-- How many there were when a mass was held: while that is too many, nobody of it goes ahead because others are back or were
-- mended.
ALTER TABLE held_masses ADD COLUMN size INTEGER NOT NULL DEFAULT 0;

UPDATE held_masses SET size = mass.size
FROM (
    SELECT service, reason, gid,
           CASE WHEN service = 'classin' AND reason = 'max-group' THEN class_code ELSE '' END AS class,
           CASE service WHEN 'exam' THEN count(DISTINCT student_id) ELSE count(*) END AS size
    FROM held_masses GROUP BY 1, 2, 3, 4
) AS mass
WHERE mass.service = held_masses.service AND mass.reason = held_masses.reason AND mass.gid IS held_masses.gid
  AND mass.class = CASE WHEN held_masses.service = 'classin' AND held_masses.reason = 'max-group'
                        THEN held_masses.class_code ELSE '' END;
