-- The hospital's public face, one row per tenant.
CREATE TABLE hospitals (
    tenant_id       UUID PRIMARY KEY REFERENCES tenants (id),
    name            TEXT NOT NULL,
    grade           TEXT NOT NULL,
    introduction    TEXT NOT NULL,
    address         TEXT NOT NULL,
    phone           TEXT NOT NULL,
    emergency_phone TEXT NOT NULL,
    website         TEXT NOT NULL,
    service_hours   TEXT NOT NULL
);

CREATE TABLE departments (
    id        UUID PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    code      TEXT NOT NULL,
    name      TEXT NOT NULL,
    category  TEXT NOT NULL,
    summary   TEXT NOT NULL,
    hot       BOOLEAN NOT NULL,
    position  BIGINT NOT NULL,
    UNIQUE (tenant_id, code)
);

-- Names and classes (ICD-10 codes) for search and for matching what doctors treat (ADM-07).
CREATE TABLE diseases (
    id            UUID PRIMARY KEY,
    tenant_id     UUID NOT NULL REFERENCES tenants (id),
    department_id UUID NOT NULL REFERENCES departments (id),
    code          TEXT NOT NULL,
    name          TEXT NOT NULL,
    UNIQUE (tenant_id, name)
);
CREATE INDEX diseases_by_department ON diseases (department_id);

CREATE TABLE special_services (
    id        UUID PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    code      TEXT NOT NULL,
    name      TEXT NOT NULL,
    summary   TEXT NOT NULL,
    position  BIGINT NOT NULL,
    UNIQUE (tenant_id, code)
);

CREATE TABLE announcements (
    id           UUID PRIMARY KEY,
    tenant_id    UUID NOT NULL REFERENCES tenants (id),
    title        TEXT NOT NULL,
    text         TEXT NOT NULL,
    published_at BIGINT NOT NULL
);
CREATE INDEX announcements_by_time ON announcements (tenant_id, published_at);

-- Counts the changes of what can be searched: an index built from an older revision is rebuilt.
CREATE TABLE catalogue_revisions (
    tenant_id UUID PRIMARY KEY REFERENCES tenants (id),
    revision  BIGINT NOT NULL
);
