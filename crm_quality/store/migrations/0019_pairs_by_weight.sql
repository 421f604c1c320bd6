-- A pair's probability follows from its weight: 1 / (1 + 2 ^ -match_weight).
ALTER TABLE matching.pair DROP COLUMN match_probability;
