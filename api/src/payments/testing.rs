//! For test apps: ready-made keys of the simulated channel, so that no test waits for RSA.

use std::path::Path;

/// Lays the keys where the simulator looks for them.
pub fn lay_simulator_keys(keys: &Path) -> std::io::Result<()> {
    let dir = super::simulator_keys_dir(keys);
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("merchant.pem"), include_str!("testdata/merchant.pem"))?;
    std::fs::write(dir.join("platform.pem"), include_str!("testdata/platform.pem"))?;
    std::fs::write(dir.join("api_v3.key"), b"0123456789abcdef0123456789abcdef")
}
