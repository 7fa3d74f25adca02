-- Movements of money. (kind, external_id) is what makes a repeated fact from outside post once.
CREATE TABLE ledger_transactions (
    id          BLOB PRIMARY KEY,
    tenant      BLOB NOT NULL REFERENCES tenants (id),
    kind        TEXT NOT NULL,
    order_id    BLOB NOT NULL,
    external_id TEXT NOT NULL,
    posted_at   INTEGER NOT NULL,
    UNIQUE (kind, external_id)
) STRICT;
CREATE INDEX ledger_transactions_of_order ON ledger_transactions (order_id);

-- Debit positive, credit negative; the lines of a transaction sum to zero. Owner is nil for accounts of the house.
CREATE TABLE ledger_lines (
    transaction_id BLOB NOT NULL REFERENCES ledger_transactions (id),
    line           INTEGER NOT NULL,
    account        TEXT NOT NULL,
    owner          BLOB NOT NULL,
    amount_fen     INTEGER NOT NULL CHECK (amount_fen <> 0),
    PRIMARY KEY (transaction_id, line)
) STRICT;
CREATE INDEX ledger_lines_of_account ON ledger_lines (account, owner);

-- Running balances of accounts that hold other people's money: a credit balance, never overdrawn.
CREATE TABLE ledger_balances (
    tenant      BLOB NOT NULL,
    account     TEXT NOT NULL,
    owner       BLOB NOT NULL,
    balance_fen INTEGER NOT NULL CHECK (balance_fen <= 0),
    PRIMARY KEY (tenant, account, owner)
) STRICT;

CREATE TRIGGER ledger_transactions_stay BEFORE UPDATE ON ledger_transactions BEGIN SELECT RAISE(ABORT, 'the ledger is immutable'); END;
CREATE TRIGGER ledger_transactions_remain BEFORE DELETE ON ledger_transactions BEGIN SELECT RAISE(ABORT, 'the ledger is immutable'); END;
CREATE TRIGGER ledger_lines_stay BEFORE UPDATE ON ledger_lines BEGIN SELECT RAISE(ABORT, 'the ledger is immutable'); END;
CREATE TRIGGER ledger_lines_remain BEFORE DELETE ON ledger_lines BEGIN SELECT RAISE(ABORT, 'the ledger is immutable'); END;
