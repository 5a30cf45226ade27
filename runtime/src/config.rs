//! What the machine says: `meshd.yaml`, and the command line, which wins over it.
//!
//! The file is checked against a published JSON Schema (`meshd schema` prints it); what does not fit
//! is said in one sentence that names the place.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use mesh_bundle::asked::{Key, MIN_SECRET};
use serde::Deserialize;
use serde_json::Value;

use crate::telemetry::access_log::AccessLog;
use crate::{Drain, Node};

/// The schema of `meshd.yaml`.
pub const SCHEMA: &str = include_str!("../meshd.schema.json");

/// Where the admin pages are if nobody says otherwise.
pub const DEFAULT_ADMIN: SocketAddr =
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 15000);

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no YAML.
    #[error("{} is no YAML: {reason}", .path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// Where it goes wrong.
        reason: String,
    },
    /// Something in it does not fit.
    #[error("{}: {what}", place(.path, *.line))]
    Misfit {
        /// The file.
        path: PathBuf,
        /// The line, if it is known.
        line: Option<usize>,
        /// What does not fit.
        what: String,
    },
    /// Text that is no duration.
    #[error("`{0}` is no duration: write 250ms, 5s or 1m30s")]
    Duration(String),
    /// Text that is no address.
    #[error("`{0}` is no address with a port: write 127.0.0.1:15001")]
    Address(String),
    /// A secret that could be guessed.
    #[error("{} holds a secret of less than {MIN_SECRET} bytes; `openssl rand -hex 32` makes one", .0.display())]
    ShortSecret(PathBuf),
    /// Something is said nowhere.
    #[error("{what}: say it with {flag}, or with `{key}` in meshd.yaml")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// The flag that says it.
        flag: &'static str,
        /// The key that says it.
        key: &'static str,
    },
}

fn place(path: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}

/// What one source says; the other sources say the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The bundle's file.
    pub bundle: Option<PathBuf>,
    /// What this process is.
    pub node: Option<Node>,
    /// The endpoint that a sidecar stands before.
    pub endpoint: Option<SocketAddr>,
    /// Where a sidecar takes its application's requests.
    pub outbound: Option<SocketAddr>,
    /// Threads that serve.
    pub workers: Option<NonZeroUsize>,
    /// Where a gateway listens.
    pub bind: Option<IpAddr>,
    /// Where certificates are.
    pub files: Option<PathBuf>,
    /// Files of the keys that bundles must be signed with; none: nobody must.
    pub trust: Vec<PathBuf>,
    /// The mesh that bundles must be of.
    pub mesh: Option<String>,
    /// The file that remembers what was served.
    pub state: Option<PathBuf>,
    /// Where the admin pages are.
    pub admin: Option<Admin>,
    /// Where requests are logged.
    pub access_log: Option<AccessLog>,
    /// The file of the secret that values in the log are hashed with.
    pub log_key: Option<PathBuf>,
    /// How long requests under way may take to end.
    pub drain_timeout: Option<Duration>,
    /// How long it goes on serving after SIGTERM.
    pub pre_stop: Option<Duration>,
}

/// Where the admin pages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    /// Nowhere.
    Off,
    /// At an address.
    At(SocketAddr),
}

impl Settings {
    /// These settings, and where they say nothing, `weaker`.
    #[must_use]
    pub fn or(self, weaker: Self) -> Self {
        Self {
            bundle: self.bundle.or(weaker.bundle),
            node: self.node.or(weaker.node),
            endpoint: self.endpoint.or(weaker.endpoint),
            outbound: self.outbound.or(weaker.outbound),
            workers: self.workers.or(weaker.workers),
            bind: self.bind.or(weaker.bind),
            files: self.files.or(weaker.files),
            trust: if self.trust.is_empty() {
                weaker.trust
            } else {
                self.trust
            },
            mesh: self.mesh.or(weaker.mesh),
            state: self.state.or(weaker.state),
            admin: self.admin.or(weaker.admin),
            access_log: self.access_log.or(weaker.access_log),
            log_key: self.log_key.or(weaker.log_key),
            drain_timeout: self.drain_timeout.or(weaker.drain_timeout),
            pre_stop: self.pre_stop.or(weaker.pre_stop),
        }
    }

    /// How to stop.
    pub fn drain(&self) -> Drain {
        let default = Drain::default();
        Drain {
            timeout: self.drain_timeout.unwrap_or(default.timeout),
            pre_stop: self.pre_stop.unwrap_or(default.pre_stop),
        }
    }

    /// Reads `meshd.yaml`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let value: Value = serde_yaml::from_str(text).map_err(|error| ConfigError::Yaml {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        // An empty file says nothing.
        let value = if value.is_null() {
            Value::Object(serde_json::Map::new())
        } else {
            value
        };
        let misfit = |keys: &[&str], what: String| ConfigError::Misfit {
            path: path.to_owned(),
            line: line_of(text, keys),
            what,
        };
        if let Some(error) = VALIDATOR.iter_errors(&value).next() {
            let path = error.instance_path().as_str().to_owned();
            let mut keys: Vec<&str> = path.split('/').filter(|key| !key.is_empty()).collect();
            let what = sentence(&keys.join("."), &error);
            if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
                keys.extend(unexpected.first().map(String::as_str));
            }
            return Err(misfit(&keys, what));
        }
        let home = path.parent().unwrap_or(Path::new(""));
        // What the schema lets through is of this shape.
        let file: File =
            serde_json::from_value(value).map_err(|error| misfit(&[], error.to_string()))?;
        file.settings(home, |keys, error| {
            misfit(keys, format!("{}: {error}", keys.join(".")))
        })
    }
}

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
});

/// `meshd.yaml` as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    bundle: Option<PathBuf>,
    node: Option<String>,
    endpoint: Option<String>,
    outbound: Option<String>,
    workers: Option<NonZeroUsize>,
    bind: Option<String>,
    files: Option<PathBuf>,
    #[serde(default)]
    trust: Vec<PathBuf>,
    mesh: Option<String>,
    state: Option<PathBuf>,
    admin: Option<String>,
    access_log: Option<String>,
    log_key: Option<PathBuf>,
    #[serde(default)]
    drain: FileDrain,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FileDrain {
    timeout: Option<String>,
    pre_stop: Option<String>,
}

impl File {
    fn settings<E>(
        self,
        home: &Path,
        misfit: impl Fn(&[&str], String) -> E,
    ) -> Result<Settings, E> {
        fn read<T, E, F: ToString>(
            text: Option<String>,
            keys: &[&str],
            parse: impl Fn(&str) -> Result<T, F>,
            misfit: impl Fn(&[&str], String) -> E,
        ) -> Result<Option<T>, E> {
            text.map(|text| parse(&text).map_err(|error| misfit(keys, error.to_string())))
                .transpose()
        }
        Ok(Settings {
            bundle: self.bundle.map(|path| home.join(path)),
            node: read(self.node, &["node"], str::parse::<Node>, &misfit)?,
            endpoint: read(self.endpoint, &["endpoint"], address, &misfit)?,
            outbound: read(self.outbound, &["outbound"], address, &misfit)?,
            workers: self.workers,
            bind: read(self.bind, &["bind"], ip, &misfit)?,
            files: self.files.map(|path| home.join(path)),
            trust: self.trust.iter().map(|path| home.join(path)).collect(),
            mesh: self.mesh,
            state: self.state.map(|path| home.join(path)),
            admin: read(self.admin, &["admin"], admin, &misfit)?,
            access_log: self.access_log.map(|text| match access_log(&text) {
                AccessLog::File(path) => AccessLog::File(home.join(path)),
                other => other,
            }),
            log_key: self.log_key.map(|path| home.join(path)),
            drain_timeout: read(self.drain.timeout, &["drain", "timeout"], duration, &misfit)?,
            pre_stop: read(
                self.drain.pre_stop,
                &["drain", "pre-stop"],
                duration,
                &misfit,
            )?,
        })
    }
}

/// An address with a port.
pub fn address(text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse()
        .map_err(|_| ConfigError::Address(text.to_owned()))
}

fn ip(text: &str) -> Result<IpAddr, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no address: write 0.0.0.0 or ::1"))
}

/// `off`, or an address.
pub fn admin(text: &str) -> Result<Admin, ConfigError> {
    match text {
        "off" => Ok(Admin::Off),
        text => address(text).map(Admin::At),
    }
}

/// `-`, `off`, or a file.
pub fn access_log(text: &str) -> AccessLog {
    match text {
        "-" => AccessLog::Stdout,
        "off" => AccessLog::Off,
        path => AccessLog::File(path.into()),
    }
}

/// The key that a secret in a file makes: what values in the access log are hashed with.
pub fn log_key(path: &Path) -> Result<Key, ConfigError> {
    let secret = std::fs::read(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    Key::of_secret(&secret).ok_or_else(|| ConfigError::ShortSecret(path.to_owned()))
}

/// A duration as the policy language writes it: `250ms`, `1m30s`.
pub fn duration(text: &str) -> Result<Duration, ConfigError> {
    let error = || ConfigError::Duration(text.to_owned());
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|it: char| !it.is_ascii_digit())
            .ok_or_else(error)?;
        let (number, unit_and_rest) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| error())?;
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        let unit = units.iter().find_map(|(unit, milliseconds)| {
            unit_and_rest
                .strip_prefix(unit)
                .map(|rest| (*milliseconds, rest))
        });
        let (milliseconds, behind) = unit.ok_or_else(error)?;
        let part = number.checked_mul(milliseconds).map(Duration::from_millis);
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(error)?;
        rest = behind;
    }
    if text.is_empty() {
        Err(error())
    } else {
        Ok(total)
    }
}

/// What does not fit, in words.
fn sentence(key: &str, error: &ValidationError<'_>) -> String {
    let value = error.instance();
    let subject = if key.is_empty() {
        "the file".to_owned()
    } else {
        format!("`{key}`")
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let name = unexpected.first().map_or("", String::as_str);
            let inside = if key.is_empty() {
                String::new()
            } else {
                format!(" in `{key}`")
            };
            format!("`{name}` is not known{inside}")
        }
        ValidationErrorKind::Type {
            kind: TypeKind::Single(kind),
        } => {
            format!(
                "{subject} is {value}, and must be {}",
                article(&kind.to_string())
            )
        }
        ValidationErrorKind::Minimum { limit } => {
            format!("{subject} is {value}, and must be at least {limit}")
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("{subject} is {value}, and must be at most {limit}")
        }
        ValidationErrorKind::MinLength { .. } => format!("{subject} is empty"),
        ValidationErrorKind::Pattern { .. } if key.starts_with("drain.") => {
            format!("{subject} is {value}, which is no duration: write 250ms, 5s or 1m30s")
        }
        ValidationErrorKind::Pattern { .. } if key == "node" => {
            format!(
                "{subject} is {value}, which names no node: write gateway/NAME or sidecar/SERVICE"
            )
        }
        _ => format!("{subject}: {error}"),
    }
}

fn article(kind: &str) -> String {
    match kind {
        "string" => "text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "object" => "a map of keys and values".to_owned(),
        kind => format!("of type {kind}"),
    }
}

/// The line on which a key is written: at the left, or indented below its parent.
fn line_of(text: &str, keys: &[&str]) -> Option<usize> {
    let mut lines = text.lines().enumerate();
    let mut found = None;
    for (depth, key) in keys.iter().enumerate() {
        found = lines.find_map(|(index, line)| {
            let (name, _) = line.split_once(':')?;
            let is_indented = name.starts_with([' ', '\t']);
            let is_it = name.trim().trim_matches(['"', '\'']) == *key;
            (is_it && is_indented == (depth > 0)).then_some(index + 1)
        });
        found?;
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(text, Path::new("/etc/mesh/meshd.yaml")).map_err(|error| error.to_string())
    }

    #[test]
    fn everything_at_once() {
        let text = "\
bundle: bookinfo.bundle
node: sidecar/payments/ledger
endpoint: 10.0.1.7:9080
outbound: 127.0.0.1:15001
workers: 2
bind: 0.0.0.0
files: certificates
trust: [old.pub, new.pub]
mesh: bookinfo
state: meshd.state
admin: off
access-log: /var/log/mesh.log
log-key: log.secret
drain:
  timeout: 1m30s
  pre-stop: 5s
";
        let settings = parse(text).unwrap();
        let expected = Settings {
            bundle: Some("/etc/mesh/bookinfo.bundle".into()),
            node: Some("sidecar/payments/ledger".parse().unwrap()),
            endpoint: Some("10.0.1.7:9080".parse().unwrap()),
            outbound: Some("127.0.0.1:15001".parse().unwrap()),
            workers: NonZeroUsize::new(2),
            bind: Some("0.0.0.0".parse().unwrap()),
            files: Some("/etc/mesh/certificates".into()),
            trust: vec!["/etc/mesh/old.pub".into(), "/etc/mesh/new.pub".into()],
            mesh: Some("bookinfo".to_owned()),
            state: Some("/etc/mesh/meshd.state".into()),
            admin: Some(Admin::Off),
            access_log: Some(AccessLog::File("/var/log/mesh.log".into())),
            log_key: Some("/etc/mesh/log.secret".into()),
            drain_timeout: Some(Duration::from_secs(90)),
            pre_stop: Some(Duration::from_secs(5)),
        };
        assert_eq!(settings, expected);
        assert_eq!(parse("").unwrap(), Settings::default());
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        let wrong = |text| parse(text).unwrap_err();
        let at = "/etc/mesh/meshd.yaml";
        assert_eq!(
            wrong("workers: 1\nworker: 2\n"),
            format!("{at}:2: `worker` is not known")
        );
        assert_eq!(
            wrong("drain:\n  timeout: 1s\n  prestop: 1s\n"),
            format!("{at}:3: `prestop` is not known in `drain`")
        );
        assert_eq!(
            wrong("workers: many\n"),
            format!("{at}:1: `workers` is \"many\", and must be a whole number")
        );
        assert_eq!(
            wrong("workers: 0\n"),
            format!("{at}:1: `workers` is 0, and must be at least 1")
        );
        assert_eq!(
            wrong("\ndrain: {timeout: 5}\n"),
            format!("{at}: `drain.timeout` is 5, and must be text")
        );
        assert_eq!(
            wrong("drain:\n  timeout: 5\n"),
            format!("{at}:2: `drain.timeout` is 5, and must be text")
        );
        assert_eq!(
            wrong("drain:\n  timeout: soon\n"),
            format!(
                "{at}:2: `drain.timeout` is \"soon\", which is no duration: write 250ms, 5s or 1m30s"
            )
        );
        assert_eq!(
            wrong("node: proxy/edge\n"),
            format!(
                "{at}:1: `node` is \"proxy/edge\", which names no node: write gateway/NAME or sidecar/SERVICE"
            )
        );
        assert_eq!(
            wrong("# c\noutbound: 15001\n"),
            format!("{at}:2: `outbound` is 15001, and must be text")
        );
        assert_eq!(
            wrong("outbound: localhost\n"),
            format!(
                "{at}:1: outbound: `localhost` is no address with a port: write 127.0.0.1:15001"
            )
        );
        assert!(wrong("a: [").starts_with(&format!("{at} is no YAML: ")));
        assert_eq!(
            wrong("[1]"),
            format!("{at}: the file is [1], and must be a map of keys and values")
        );
    }

    #[test]
    fn durations() {
        assert_eq!(duration("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(duration("1m30s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("2h").unwrap(), Duration::from_hours(2));
        assert_eq!(duration("0s").unwrap(), Duration::ZERO);
        for text in [
            "",
            "5",
            "s",
            "1.5s",
            "-1s",
            "5 s",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_stronger_wins() {
        let flags = parse("workers: 3\n").unwrap();
        let file = parse("workers: 1\nadmin: 127.0.0.1:1\n").unwrap();
        let both = flags.or(file);
        assert_eq!(both.workers, NonZeroUsize::new(3));
        assert_eq!(both.admin, Some(Admin::At("127.0.0.1:1".parse().unwrap())));
        assert_eq!(both.drain(), Drain::default());
    }

    #[test]
    fn the_schema_is_one() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
    }
}
