//! A list that grows by half.

/// Appends an item to a list, which grows by half when it is full.
///
/// While a list that doubles is copied, it takes three times the size of its items. This
/// one takes two and a half times, which keeps the memory for a body of nothing but
/// minimal messages below 40 times its length.
#[inline(always)]
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        grow(list);
    }
    list.push(item);
}

#[cold]
#[inline(never)]
fn grow<T>(list: &mut Vec<T>) {
    const FEW: usize = 64;
    list.reserve_exact((list.len() / 2).max(FEW));
}
