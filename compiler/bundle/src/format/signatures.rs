//! What stands behind the content of a signed bundle: who vouches for it.
//!
//! ```text
//! │ SignaturesHeader │ Signature × count │
//! ```
//!
//! Only the form is looked at here; what a signature is about, and whether it is one, is in
//! [`crate::signature`].

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The first eight bytes behind the content.
const MAGIC: [u8; 8] = *b"MESHSIGN";
/// Signatures that a bundle may have: keys are rotated one at a time.
pub const MAX_SIGNATURES: usize = 16;
/// Bytes that the name of a signed mesh may have: it is a DNS label.
pub const MAX_MESH_NAME: usize = 63;

/// What the signatures of a bundle are about, besides the content.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct SignaturesHeader {
    /// `MESHSIGN`.
    pub magic: [u8; 8],
    /// Bytes of each signature.
    pub stride: U32,
    /// How many there are, at least one.
    pub count: U32,
    /// Bytes of the mesh's name.
    pub mesh_length: u8,
    /// The mesh's name, filled up with zeros: what a bundle is signed as cannot be another mesh's.
    pub mesh: [u8; MAX_MESH_NAME],
}

/// One key's signature.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Signature {
    /// Which key: the first bytes of the BLAKE3 of the public key.
    pub key: [u8; 8],
    /// Larger than that of all bundles of this mesh before.
    pub sequence: U64,
    /// From when on the bundle may be used, in seconds since 1970.
    pub not_before: U64,
    /// From when on it may not be used any more, in seconds since 1970; all ones for never.
    pub not_after: U64,
    /// Ed25519.
    pub signature: [u8; 64],
}

/// What stands behind the content of a signed bundle.
#[derive(Clone, Copy, Debug)]
pub struct Signatures<'b> {
    header: &'b SignaturesHeader,
    records: &'b [u8],
}

impl<'b> Signatures<'b> {
    /// From what stands behind a content; `None` for nothing.
    pub(super) fn read(bytes: &'b [u8]) -> Option<Self> {
        let (header, records) = SignaturesHeader::ref_from_prefix(bytes).ok()?;
        Some(Self { header, records })
    }

    /// The name of the mesh that the bundle is signed as one of.
    pub fn mesh(&self) -> &'b str {
        let mesh = &self.header.mesh[..usize::from(self.header.mesh_length)];
        std::str::from_utf8(mesh).unwrap_or_default() // checked
    }

    /// The signatures.
    pub fn iter(&self) -> impl Iterator<Item = Signature> + use<'b> {
        let records = self.records.chunks_exact(self.header.stride.get() as usize);
        records.filter_map(|record| Some(Signature::read_from_prefix(record).ok()?.0))
    }
}

/// Whether what stands behind a content can be read, or what is wrong with it.
pub(super) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.is_empty() {
        return Ok(());
    }
    let ensure = |holds, what| if holds { Ok(()) } else { Err(what) };
    let (header, records) =
        SignaturesHeader::ref_from_prefix(bytes).map_err(|_| "is too short for signatures")?;
    ensure(header.magic == MAGIC, "is no signature")?;
    let (stride, count) = (header.stride.get() as usize, header.count.get() as usize);
    ensure(
        stride >= size_of::<Signature>() && (1..=MAX_SIGNATURES).contains(&count),
        "has signatures of another form",
    )?;
    ensure(
        stride.checked_mul(count) == Some(records.len()),
        "is not as long as its signatures",
    )?;
    let (name, rest) = header
        .mesh
        .split_at_checked(usize::from(header.mesh_length))
        .ok_or("names no mesh")?;
    ensure(
        std::str::from_utf8(name).is_ok() && rest.iter().all(|&byte| byte == 0),
        "names no mesh",
    )
}

/// The file of a content with these signatures, without any if there are none. The content must be one that
/// [`super::Sealed::read`] took; `None` for a name or a number of signatures that does not fit.
pub fn attach(content: &[u8], mesh: &str, signatures: &[Signature]) -> Option<Vec<u8>> {
    let mut file = content.to_vec();
    if !signatures.is_empty() {
        let mut name = [0; MAX_MESH_NAME];
        name.get_mut(..mesh.len())?.copy_from_slice(mesh.as_bytes());
        if signatures.len() > MAX_SIGNATURES {
            return None;
        }
        let header = SignaturesHeader {
            magic: MAGIC,
            stride: U32::new(size_of::<Signature>() as u32),
            count: U32::new(signatures.len() as u32),
            mesh_length: mesh.len() as u8,
            mesh: name,
        };
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(signatures.as_bytes());
    }
    let total = U64::new(file.len() as u64);
    let (header, _) = super::Header::mut_from_prefix(&mut file).ok()?;
    header.total_length = total;
    Some(file)
}
