-- The hospital's public face, one row per tenant.
CREATE TABLE hospitals (
    tenant_id       BLOB PRIMARY KEY REFERENCES tenants (id),
    name            TEXT NOT NULL,
    grade           TEXT NOT NULL,
    introduction    TEXT NOT NULL,
    address         TEXT NOT NULL,
    phone           TEXT NOT NULL,
    emergency_phone TEXT NOT NULL,
    website         TEXT NOT NULL,
    service_hours   TEXT NOT NULL
) STRICT;

CREATE TABLE departments (
    id        BLOB PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    code      TEXT NOT NULL,
    name      TEXT NOT NULL,
    category  TEXT NOT NULL,
    summary   TEXT NOT NULL,
    hot       INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    UNIQUE (tenant_id, code)
) STRICT;

-- Names and classes (ICD-10 codes) for search and for matching what doctors treat (ADM-07).
CREATE TABLE diseases (
    id            BLOB PRIMARY KEY,
    tenant_id     BLOB NOT NULL REFERENCES tenants (id),
    department_id BLOB NOT NULL REFERENCES departments (id),
    code          TEXT NOT NULL,
    name          TEXT NOT NULL,
    UNIQUE (tenant_id, name)
) STRICT;
CREATE INDEX diseases_by_department ON diseases (department_id);

CREATE TABLE special_services (
    id        BLOB PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    code      TEXT NOT NULL,
    name      TEXT NOT NULL,
    summary   TEXT NOT NULL,
    position  INTEGER NOT NULL,
    UNIQUE (tenant_id, code)
) STRICT;

CREATE TABLE announcements (
    id           BLOB PRIMARY KEY,
    tenant_id    BLOB NOT NULL REFERENCES tenants (id),
    title        TEXT NOT NULL,
    text         TEXT NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;
CREATE INDEX announcements_by_time ON announcements (tenant_id, published_at);

-- Counts the changes of what can be searched: an index built from an older revision is rebuilt.
CREATE TABLE catalogue_revisions (
    tenant_id BLOB PRIMARY KEY REFERENCES tenants (id),
    revision  INTEGER NOT NULL
) STRICT;
