-- Flights and delays of each airline.
SELECT a.name AS airline,
       count(*) AS flights,
       round(avg(f.dep_delay), 1) AS mean_delay,
       sum(CASE WHEN f.dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled
FROM flights AS f
JOIN airlines AS a ON f.carrier = a.carrier
GROUP BY a.name
ORDER BY flights DESC, airline;
