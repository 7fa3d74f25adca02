//! Named points between two steps where a test kills the process, with SIGKILL.
//!
//! Outside this crate's own tests a point is nothing. There, a test starts its own executable once more as a child that lives
//! up to one point, says on its standard output that it stands there, and is killed; the test opens what it left behind.

#[cfg(not(test))]
#[allow(clippy::unused_async)] // the same shape as the switch below
pub(crate) async fn reach(_: &'static str) {}

#[cfg(test)]
pub(crate) use child::{killed_at, live, reach, tell};

#[cfg(test)]
mod child {
    use serde_json::Value;
    use std::{
        io::{BufRead, BufReader},
        path::Path,
        process::{Command, Stdio},
        sync::{
            LazyLock,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };
    use tempfile::TempDir;

    const VARIABLE: &str = "WENZHEN_TEST_POINT";
    const SAYS: &str = "the child says ";
    const STANDS: &str = "the child stands at ";
    /// Longer than any life takes on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(120);

    /// The point of this process and how often it is still passed by; none in a test that is nobody's child.
    static ARMED: LazyLock<Option<(String, AtomicUsize)>> = LazyLock::new(|| {
        let point = std::env::var(VARIABLE).ok()?;
        let (name, nth) = point.split_once('@').unwrap_or((&point, "1"));
        Some((name.to_owned(), AtomicUsize::new(nth.parse::<usize>().ok()? - 1)))
    });

    /// What is left of a child.
    #[derive(Debug)]
    pub(crate) struct Remains {
        /// Where its app lived.
        pub folder: TempDir,
        /// The last it told.
        pub said: Value,
    }

    /// Lets the ignored test of that path live up to the point, in a process of its own, and kills it there. `name@2`: the second
    /// time it comes there.
    pub(crate) fn killed_at(path: &str, point: &str) -> Remains {
        let nest = TempDir::new().expect("a temporary folder");
        let mut child = Command::new(std::env::current_exe().expect("an executable"))
            .args([path, "--exact", "--ignored", "--nocapture"])
            .env(VARIABLE, point)
            .env("TMPDIR", nest.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this executable starts again");
        let (mut said, mut stands, mut heard) = (Value::Null, false, String::new());
        for line in BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok) {
            if let Some((_, json)) = line.split_once(SAYS) {
                said = serde_json::from_str(json).expect("it tells JSON");
            }
            stands = line.contains(STANDS);
            if stands {
                break;
            }
            heard += &(line + "\n");
        }
        // SIGKILL: no destructor, no flush, no goodbye.
        child.kill().expect("our own child can be killed");
        child.wait().expect("our own child can be waited for");
        assert!(stands, "{point} was not reached:\n{heard}");
        Remains { folder: taken_from(nest.path()), said }
    }

    /// The one folder in the nest, ours from now on.
    fn taken_from(nest: &Path) -> TempDir {
        let folders: Vec<_> = nest.read_dir().expect("the nest").flatten().map(|entry| entry.path()).collect();
        let [left] = &folders[..] else { panic!("the child lived in {folders:?}") };
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::rename(left, folder.path()).expect("an empty folder is replaced");
        folder
    }

    /// The child's part: lives until it stands. Does nothing when nobody started it as a child.
    pub(crate) async fn live(life: impl Future<Output = ()>) {
        if ARMED.is_some() {
            tokio::time::timeout(PATIENCE, life).await.expect("a life takes less");
            panic!("{ARMED:?} was passed by");
        }
    }

    /// What the test has to know of this life.
    pub(crate) fn tell(said: &Value) {
        println!("{SAYS}{said}");
    }

    pub(crate) async fn reach(name: &'static str) {
        let Some((_, left)) = ARMED.as_ref().filter(|(armed, _)| armed == name) else { return };
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            println!("{STANDS}{name}");
            std::future::pending::<()>().await;
        }
    }

    /// A point that no test kills at proves nothing.
    #[test]
    fn every_point_is_killed_at() {
        let mut source = String::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut source);
        let points: Vec<&str> =
            source.split("failpoint::reach(\"").skip(1).filter_map(|rest| rest.split_once("\")").map(|(name, _)| name)).collect();
        assert!(points.len() > 10, "{points:?}");
        let elsewhere = points.iter().fold(source.clone(), |text, name| text.replace(&format!("reach(\"{name}\")"), ""));
        for name in points {
            assert!(elsewhere.contains(&format!("\"{name}\"")), "{name}");
        }
    }

    fn read(folder: &Path, into: &mut String) {
        for entry in folder.read_dir().expect("the source is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                read(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                *into += &std::fs::read_to_string(path).expect("source is text");
            }
        }
    }
}
