use super::rig::Rig;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::log::MessageLog;
use crate::log::conformance::{self, Harness};
use futures_util::future::{BoxFuture, FutureExt, ready};
use proptest::prelude::*;

impl Harness for Rig {
    fn open(&self) -> BoxFuture<'_, MessageLog> {
        ready(Rig::open(self)).boxed()
    }
    fn clock(&self) -> &Clock {
        &self.clock
    }
    fn entropy(&self) -> &Entropy {
        &self.entropy
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_engine_conforms() {
    conformance::all(Rig::new).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn any_life_agrees_with_the_model(seed: u64) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(conformance::agrees_with_the_model(&Rig::new(), seed, 150));
    }
}
