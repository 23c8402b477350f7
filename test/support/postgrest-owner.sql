-- Whoever applies migrations in a hosted project is no superuser: it owns schema public and may make schemas.
create role project_owner login;
alter schema public owner to project_owner;
grant anon, authenticated, service_role to project_owner;
alter default privileges for role project_owner in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges for role project_owner in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges for role project_owner in schema public grant all on sequences to anon, authenticated, service_role;
do $$ begin execute format('grant create, temporary on database %I to project_owner', current_database()); end $$;
