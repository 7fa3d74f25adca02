//! The call: ring, accept, negotiate, active, ended. A pure state machine, its registry and TURN credentials.
