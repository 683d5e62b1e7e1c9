-- One week of July: the other months are never opened.
SELECT f.origin, count(*) AS flights, max(f.dep_delay) AS longest_delay
FROM flights AS f
WHERE f.time_hour >= TIMESTAMPTZ '2013-07-08 00:00:00+00'
  AND f.time_hour < TIMESTAMPTZ '2013-07-15 00:00:00+00'
GROUP BY f.origin
ORDER BY f.origin;
