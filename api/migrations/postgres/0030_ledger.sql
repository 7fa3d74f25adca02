-- Movements of money. (kind, external_id) is what makes a repeated fact from outside post once.
CREATE TABLE ledger_transactions (
    id          UUID PRIMARY KEY,
    tenant      UUID NOT NULL REFERENCES tenants (id),
    kind        TEXT NOT NULL,
    order_id    UUID NOT NULL,
    external_id TEXT NOT NULL,
    posted_at   BIGINT NOT NULL,
    UNIQUE (kind, external_id)
);
CREATE INDEX ledger_transactions_of_order ON ledger_transactions (order_id);

-- Debit positive, credit negative; the lines of a transaction sum to zero. Owner is nil for accounts of the house.
CREATE TABLE ledger_lines (
    transaction_id UUID NOT NULL REFERENCES ledger_transactions (id),
    line           BIGINT NOT NULL,
    account        TEXT NOT NULL,
    owner          UUID NOT NULL,
    amount_fen     BIGINT NOT NULL CHECK (amount_fen <> 0),
    PRIMARY KEY (transaction_id, line)
);
CREATE INDEX ledger_lines_of_account ON ledger_lines (account, owner);

-- Running balances of accounts that hold other people's money: a credit balance, never overdrawn.
CREATE TABLE ledger_balances (
    tenant      UUID NOT NULL,
    account     TEXT NOT NULL,
    owner       UUID NOT NULL,
    balance_fen BIGINT NOT NULL CHECK (balance_fen <= 0),
    PRIMARY KEY (tenant, account, owner)
);

CREATE FUNCTION ledger_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the ledger is immutable'; END $$;
CREATE TRIGGER ledger_transactions_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_immutable();
CREATE TRIGGER ledger_lines_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_lines
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_immutable();
