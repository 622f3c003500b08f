#!/bin/sh
# Makes a role and a database for each service that lacks them, owned by the role and closed to the others; again is
# harmless, and a changed password is set. The role branchline_reader, behind whose policies services read for their
# users, belongs to all of them. Needs psql, and PGUSER and PGPASSWORD of somebody who may create both.
#   create_databases.sh PASSWORDS HOST NAME...    PASSWORDS has a file a name; {} in HOST stands for the name
set -eu
passwords=$1 host=$2
shift 2
for name in "$@"; do
  psql -X -q -v ON_ERROR_STOP=1 -v name="$name" -v file="$passwords/$name" -d postgres \
    -h "$(printf '%s' "$host" | sed "s/{}/$name/")" <<'SQL'
\set password `cat :file`
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT 'CREATE ROLE branchline_reader NOLOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'branchline_reader') \gexec
GRANT branchline_reader TO :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
SQL
  printf 'database %s is there\n' "$name"
done
