//! A bundle's file, followed while requests are served.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use meshd::{ProcessOptions, Source};
use tempfile::TempDir;

use crate::support::client::Http1;
use crate::support::mesh::{Mesh, otherwise};
use crate::support::scene::{HTTP, Scene, gateway_options};
use crate::support::until;

fn saying(text: &str) -> Mesh {
    Mesh::new().gateway("edge", |g| {
        g.http(HTTP)
            .host(&["a"], vec![otherwise().respond(200, Some(text))])
    })
}

/// A gateway that follows a file, and a client that asks all the time and is always answered.
struct Followed {
    scene: Option<Scene>,
    stop: Arc<AtomicBool>,
    client: Option<std::thread::JoinHandle<()>>,
}

impl Followed {
    fn start(path: &Path) -> Self {
        let source = Source::open(path).unwrap();
        let bundle = Arc::clone(source.bundle());
        let process = ProcessOptions {
            follow: Some(source),
            ..ProcessOptions::default()
        };
        let scene = Scene::start_all(bundle, vec![("gateway/edge", gateway_options())], process);
        let address = scene.http();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let client = std::thread::spawn(move || {
            let mut client = Http1::connect(address);
            while !stopped.load(Ordering::Relaxed) {
                assert_eq!(client.get("a", "/").status, 200);
            }
        });
        Self {
            scene: Some(scene),
            stop,
            client: Some(client),
        }
    }

    fn scene(&self) -> &Scene {
        self.scene.as_ref().unwrap()
    }

    fn says(&self) -> String {
        self.scene().get("a", "/").text()
    }

    #[track_caller]
    fn comes_to_say(&self, text: &str) {
        until("the new bundle is in force", || self.says() == text);
    }

    fn count(&self, result: &str) -> u64 {
        self.scene().reloads(result)
    }

    #[track_caller]
    fn comes_to_be_rejected(&self, times: u64) -> String {
        until("the file is rejected", || self.count("rejected") == times);
        self.scene().status()["last_reload"]["sentence"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let answered = self.client.take().unwrap().join();
        drop(self.scene.take());
        if !std::thread::panicking() {
            answered.unwrap();
        }
    }
}

fn file(directory: &TempDir, mesh: &Mesh) -> PathBuf {
    let path = directory.path().join("shop.bundle");
    fs::write(&path, mesh.bytes()).unwrap();
    path
}

fn replace(path: &Path, bytes: &[u8]) {
    let temporary = path.with_extension("tmp");
    fs::write(&temporary, bytes).unwrap();
    fs::rename(&temporary, path).unwrap();
}

#[test]
fn a_file_that_is_replaced_is_in_force_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, &saying("one"));
    let followed = Followed::start(&path);
    assert_eq!(followed.says(), "one");
    for number in 0..10 {
        let text = format!("number {number}");
        let began = Instant::now();
        replace(&path, &saying(&text).bytes());
        followed.comes_to_say(&text);
        // The system said so; nobody waited for the next look.
        assert!(
            began.elapsed() < Duration::from_millis(1500),
            "{:?}",
            began.elapsed()
        );
    }
    assert_eq!(
        (followed.count("applied"), followed.count("rejected")),
        (10, 0)
    );
}

#[test]
fn a_file_that_is_written_in_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, &saying("one"));
    let followed = Followed::start(&path);
    fs::write(&path, saying("two").bytes()).unwrap();
    followed.comes_to_say("two");
    // Over a longer one, cut afterwards.
    let longer = saying(&"long ".repeat(2000)).bytes();
    fs::write(&path, &longer).unwrap();
    followed.comes_to_say(&"long ".repeat(2000));
    let bytes = saying("short").bytes();
    let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
    writer.write_all(&bytes).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    writer.set_len(bytes.len() as u64).unwrap();
    drop(writer);
    followed.comes_to_say("short");
    assert_eq!(followed.count("rejected"), 0);
}

#[test]
fn a_slow_writer_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, &saying("one"));
    let followed = Followed::start(&path);
    let bytes = saying("two").bytes();
    let mut writer = File::create(&path).unwrap();
    let began = Instant::now();
    for piece in bytes.chunks(bytes.len() / 25 + 1) {
        writer.write_all(piece).unwrap();
        writer.flush().unwrap();
        std::thread::sleep(Duration::from_millis(120));
        if began.elapsed() < Duration::from_millis(2500) {
            assert_eq!(followed.says(), "one");
        }
    }
    drop(writer);
    followed.comes_to_say("two");
    assert!(
        began.elapsed() > Duration::from_secs(2),
        "slower than a file is given to be still"
    );
    assert_eq!(followed.count("rejected"), 0);
}

#[test]
fn a_writer_that_gives_up_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, &saying("one"));
    let followed = Followed::start(&path);
    let bytes = saying("two").bytes();
    // Closed half way: that is at once a bad file.
    let began = Instant::now();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let sentence = followed.comes_to_be_rejected(1);
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
    let expected = format!(
        "is damaged: {} of its {} bytes are there",
        bytes.len() / 2,
        bytes.len()
    );
    assert!(sentence.ends_with(&expected), "{sentence}");
    // Held open and left alone: after a while.
    let mut writer = File::create(&path).unwrap();
    writer.write_all(&bytes[..100]).unwrap();
    let began = Instant::now();
    followed.comes_to_be_rejected(2);
    assert!(
        began.elapsed() > Duration::from_millis(1800),
        "{:?}",
        began.elapsed()
    );
    // And if it goes on after all, that is a new file.
    writer.write_all(&bytes[100..]).unwrap();
    followed.comes_to_say("two");
    assert_eq!(followed.count("rejected"), 2);
}

#[test]
fn every_kind_of_bad_file_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, &saying("one"));
    let followed = Followed::start(&path);
    let good = saying("two").bytes();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let mut later = good.clone();
    later[8] = 9;
    let mut longer = good.clone();
    longer.push(0);
    let other = Mesh::new().gateway("other", |g| g.http(HTTP)).bytes();
    for (times, (bytes, sentence)) in (1..).zip([
        (Vec::new(), "is empty"),
        (
            b"hello".to_vec(),
            "is no bundle: it does not begin with `MESHBNDL`",
        ),
        (good[..good.len() - 1].to_vec(), "bytes are there"),
        (flipped, "is damaged: its content does not match its hash"),
        (later, "is of format 9.0, and this build reads 1.x"),
        (longer, "is damaged: 1 bytes follow its end"),
        (
            other,
            "the bundle has no gateway/edge; it has gateway/other",
        ),
    ]) {
        replace(&path, &bytes);
        let said = followed.comes_to_be_rejected(times);
        assert!(said.contains(sentence), "{said}");
        assert_eq!(followed.says(), "one");
    }
    fs::remove_file(&path).unwrap();
    let said = followed.comes_to_be_rejected(8);
    assert!(said.contains("cannot be read"), "{said}");
    assert_eq!(followed.says(), "one");
    fs::write(&path, &good).unwrap();
    followed.comes_to_say("two");
}

#[test]
fn a_link_swapped_as_kubernetes_does() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    let version = |name: &str, text: &str| {
        fs::create_dir(home.join(name)).unwrap();
        fs::write(home.join(name).join("shop.bundle"), saying(text).bytes()).unwrap();
    };
    version("..1", "one");
    symlink("..1", home.join("..data")).unwrap();
    symlink("..data/shop.bundle", home.join("shop.bundle")).unwrap();
    let followed = Followed::start(&home.join("shop.bundle"));
    assert_eq!(followed.says(), "one");
    for (number, text) in [(2, "two"), (3, "three")] {
        let name = format!("..{number}");
        version(&name, text);
        symlink(&name, home.join("..data_tmp")).unwrap();
        fs::rename(home.join("..data_tmp"), home.join("..data")).unwrap();
        fs::remove_dir_all(home.join(format!("..{}", number - 1))).unwrap();
        followed.comes_to_say(text);
    }
    assert_eq!(followed.count("rejected"), 0);
}

#[test]
fn what_is_written_behind_a_link_is_found_by_looking() {
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = file(&elsewhere, &saying("one"));
    let path = directory.path().join("link.bundle");
    symlink(&target, &path).unwrap();
    let followed = Followed::start(&path);
    replace(&target, &saying("two").bytes());
    followed.comes_to_say("two");
}

#[test]
fn the_same_content_again_is_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, &saying("one"));
    let followed = Followed::start(&path);
    replace(&path, &saying("one").bytes());
    until("it was looked at", || followed.count("unchanged") == 1);
    assert_eq!(followed.count("applied"), 0);
}
