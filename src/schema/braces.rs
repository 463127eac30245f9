//! Names with braces.
//!
//! The validator takes `{` and `}` in the name of a property or of a definition for
//! the number of a branch, and then doesn't find what `required`, `enum`, `anyOf` or
//! `$ref` in there belong to (validator).

use super::{
    keyword::{ANY_OF, ENUM, Name, REF, REQUIRED, TYPE, may_repeat},
    parts::Role,
    repair::{Repair, Stop},
    tree::Id,
};
use crate::json::Kind;

const BRACES: &str = "in what has braces in its name, Moonshot finds no required, enum or anyOf";

impl Repair<'_> {
    /// Moves what the validator doesn't find into an `allOf`, and gives definitions
    /// another name.
    pub(super) fn braces(&mut self) -> Result<(), Stop> {
        let has_braces = |name: &str| name.contains('{') && name.contains('}');
        if !self.tree.any_name(has_braces) {
            return Ok(());
        }
        let parts = self.tree.parts();
        // The outermost part with such a name that each is in.
        let mut within: Vec<Option<usize>> = vec![None; parts.len()];
        let mut is_lost = vec![false; parts.len()];
        for (place, part) in parts.iter().enumerate() {
            let is_named = matches!(part.role, Role::Property | Role::Definition)
                && has_braces(self.tree.name(self.tree.key(part.id)));
            within[place] = within[part.holder].or(is_named.then_some(place));
            if let Some(outer) = within[place] {
                is_lost[outer] |= self.has_what_is_looked_up(part.id);
            }
        }
        for (place, part) in parts
            .iter()
            .enumerate()
            .filter(|(place, _)| is_lost[*place])
        {
            self.check()?;
            if part.role == Role::Definition && part.holder == 0 {
                self.make_plain(part.id, BRACES);
            } else {
                debug_assert_eq!(within[place], Some(place));
                self.hide(part.id);
            }
        }
        self.spell_references();
        Ok(())
    }

    /// Whether a schema has a keyword whose schema the validator looks up.
    fn has_what_is_looked_up(&self, id: Id) -> bool {
        let is_elsewhere = |reference| self.tree.string(reference).as_deref() != Some("#");
        self.tree.list(id, REQUIRED).is_some()
            || self.tree.has(id, ENUM)
            || self.tree.has(id, ANY_OF)
            || self.tree.get(id, REF).is_some_and(is_elsewhere)
    }

    /// Moves all that a schema says into its `allOf`, but for its type and what
    /// describes it.
    fn hide(&mut self, id: Id) {
        let one_type = self.tree.get(id, TYPE).map(|value| self.tree.kind(value));
        let keeps_type = one_type == Some(Kind::String);
        let stays = |name: &Name| may_repeat(*name) || *name == TYPE && keeps_type;
        let names = self.tree.members(id).map(|member| self.tree.key(member));
        let names: Vec<Name> = names.filter(|name| !stays(name)).collect();
        self.conjoin(id, &names);
        self.note(id, None, BRACES);
    }
}
