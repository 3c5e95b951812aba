-- What Redshift has and PostgreSQL lacks, as far as the double needs it. Its users never see this schema by name.
CREATE SCHEMA IF NOT EXISTS penstock_double;
SET search_path = penstock_double;
CREATE DOMAIN super AS json;
CREATE DOMAIN varbyte AS text;
CREATE FUNCTION json_parse(bpchar) RETURNS super LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ($1::text)::json::penstock_double.super';
CREATE FUNCTION to_varbyte(bpchar, text) RETURNS varbyte LANGUAGE sql IMMUTABLE STRICT AS
  'SELECT encode(decode($1::text, $2), ''hex'')::penstock_double.varbyte';
-- Columns as they were written: VARCHAR is bpchar with a check below (blanks at the end do not count when texts are compared).
CREATE TABLE columns (schema_name text, table_name text, column_name text, data_type text, length int, digits int, scale int);
CREATE TABLE keys (schema_name text, table_name text, definition text);
CREATE VIEW svv_columns AS SELECT s.table_schema, s.table_name, s.column_name, s.ordinal_position, s.column_default, s.is_nullable,
  coalesce(c.data_type, s.data_type) AS data_type, c.length AS character_maximum_length, c.digits AS numeric_precision,
  c.scale AS numeric_scale FROM information_schema.columns s LEFT JOIN columns c ON
  (c.schema_name, c.table_name, c.column_name) = (s.table_schema, s.table_name, s.column_name);
CREATE VIEW svv_tables AS SELECT table_schema, table_name, table_type FROM information_schema.tables;
CREATE VIEW svv_transactions AS SELECT l.pid, l.mode AS lock_mode, l.relation, l.granted FROM pg_locks l WHERE l.relation IS NOT NULL;
CREATE TABLE load_errors (session_id int, start_time timestamptz DEFAULT clock_timestamp(), number serial, file_name text,
  line_number bigint, column_name text, column_type text, error_code int, error_message text);
CREATE VIEW sys_load_error_detail AS SELECT session_id, start_time, file_name, line_number, column_name, column_type, error_code,
  error_message FROM load_errors ORDER BY number DESC;
GRANT USAGE ON SCHEMA penstock_double TO PUBLIC;
