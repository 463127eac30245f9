//! The keyed digest that conversations are hashed with, and how bytes are fed to it.
//!
//! It is HighwayHash, a pseudorandom function with a key of 256 bits, at up to ten times
//! the speed of SHA-256.

use highway::{HighwayHash, HighwayHasher, Key};

/// Begins what is not text in hashed bytes. Text is UTF-8, in which it never occurs, so no
/// text can pass for something else.
pub(super) const MARK: u8 = 0xff;

/// How many bytes are gathered before they are hashed: small pieces are hashed together.
const GATHERED: usize = 4096;

/// Longer pieces are hashed where they are.
const LONG: usize = 512;

/// The digest of a conversation up to one message.
pub(super) type Digest = [u64; 4];

/// The digest of some bytes, with a key.
pub(super) fn hash<'a>(key: Digest, pieces: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hasher = HighwayHasher::new(Key(key));
    for piece in pieces {
        hasher.append(piece);
    }
    bytes(&hasher.finalize256())
}

/// The bytes of a digest.
pub(super) fn bytes(digest: &Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(digest) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// The digest that has these bytes.
pub(super) fn of_bytes(bytes: &[u8; 32]) -> Digest {
    let mut digest = [0; 4];
    for (word, bytes) in digest.iter_mut().zip(bytes.chunks_exact(8)) {
        let bytes = bytes.iter().rev();
        *word = bytes.fold(0, |word, &byte| word << 8 | u64::from(byte));
    }
    digest
}

/// Hashes a stream of bytes that come in pieces.
pub(super) struct Stream {
    hasher: HighwayHasher,
    /// What is not hashed yet.
    gathered: Vec<u8>,
}

impl Stream {
    pub(super) fn new(key: Digest) -> Self {
        Self {
            hasher: HighwayHasher::new(Key(key)),
            gathered: Vec::with_capacity(GATHERED),
        }
    }

    /// Continues a stream that was hashed so far.
    pub(super) const fn continuing(hasher: HighwayHasher) -> Self {
        Self {
            hasher,
            gathered: Vec::new(),
        }
    }

    /// Adds a piece.
    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        if bytes.len() < LONG && self.gathered.len() + bytes.len() <= GATHERED {
            self.gathered.extend_from_slice(bytes);
        } else {
            self.put_long(bytes);
        }
    }

    fn put_long(&mut self, bytes: &[u8]) {
        self.hash_gathered();
        if bytes.len() < LONG {
            self.gathered.extend_from_slice(bytes);
        } else {
            self.hasher.append(bytes);
        }
    }

    /// Adds what is no text: this mark.
    #[inline]
    pub(super) fn mark(&mut self, what: u8) {
        self.put(&[MARK, what]);
    }

    /// Returns the digest of the stream, and begins another one, keyed with it.
    pub(super) fn cut(&mut self) -> Digest {
        self.hash_gathered();
        let digest = self.hasher.clone().finalize256();
        self.hasher = HighwayHasher::new(Key(digest));
        digest
    }

    /// Forgets what was added, and begins another stream with this key. Keeps its memory.
    pub(super) fn restart(&mut self, key: Digest) {
        self.hasher = HighwayHasher::new(Key(key));
        self.gathered.clear();
    }

    /// Returns the stream so far, to be continued.
    pub(super) fn into_hasher(mut self) -> HighwayHasher {
        self.hash_gathered();
        self.hasher
    }

    fn hash_gathered(&mut self) {
        self.hasher.append(&self.gathered);
        self.gathered.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_the_same_digest_however_it_is_cut() {
        let bytes: Vec<u8> = (0..3 * GATHERED).map(|number| number as u8).collect();
        let mut whole = Stream::new([1; 4]);
        whole.put(&bytes);
        let whole = whole.cut();
        assert_eq!(
            whole.map(u64::to_le_bytes).concat(),
            hash([1; 4], [&bytes[..]])
        );
        for step in [1, 7, LONG - 1, LONG, 1000, GATHERED - 3, GATHERED + 1] {
            let mut stream = Stream::new([1; 4]);
            bytes.chunks(step).for_each(|piece| stream.put(piece));
            assert_eq!(stream.cut(), whole, "{step}");
        }
    }

    #[test]
    fn a_digest_is_its_bytes() {
        let digest = [1, u64::MAX - 7, 0x0102_0304_0506_0708, 0];
        assert_eq!(of_bytes(&bytes(&digest)), digest);
    }
}
