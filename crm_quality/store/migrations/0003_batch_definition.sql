-- The definition of the source by which a batch was mapped, so that its rows can be read again from
-- what was kept, also when it was a mapping file that is not among the project's rules.
ALTER TABLE landing.batch ADD COLUMN definition JSON;
