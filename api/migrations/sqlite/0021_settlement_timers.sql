-- Consultations that ended before settlement had a timer. The timer asks the rules again when it fires.
INSERT INTO timers (id, kind, object, expected_state, due_at, retry_at, attempts)
    SELECT randomblob(16), 'consultations.deadline', id, 'ended', over_at + 604800000, over_at + 604800000, 0
    FROM consultations WHERE state = 'ended'
    ON CONFLICT (kind, object) DO NOTHING;
