//! What a file's mode lets another user than ours do with it.

use std::path::Path;

use crate::files::{self, Right};

/// Whether mode and owner of a file give a user this right; `None` where it depends on the user's groups, or nothing is there.
pub(super) fn mode_lets(user: u32, right: Right, path: &Path) -> Option<bool> {
    let (mode, owner) = (files::mode(path)?, files::owner(path)?);
    let bit = match right {
        Right::Read => 4,
        Right::Write => 2,
        Right::Enter => 1,
    };
    let has = |whose: u32| (mode >> whose) & bit != 0;
    let (of_owner, of_group, of_all) = (has(6), has(3), has(0));
    if user == 0 {
        return Some(true);
    }
    if owner == user {
        return Some(of_owner);
    }
    // Who is in the file's group has its rights alone.
    (of_group == of_all).then_some(of_all)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_mode_tells_what_a_user_may_do_where_groups_do_not_decide() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "x").unwrap();
        let ours = files::owner(&file).unwrap();
        for (mode, right, others) in [
            (0o600, Right::Read, Some(false)),
            (0o640, Right::Read, None),
            (0o644, Right::Read, Some(true)),
            (0o644, Right::Write, Some(false)),
            (0o060, Right::Write, None),
            (0o711, Right::Enter, Some(true)),
        ] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(mode_lets(12_345, right, &file), others, "{mode:o}");
        }
        assert_eq!(mode_lets(0, Right::Write, &file), Some(true), "root may do everything");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(mode_lets(ours, Right::Write, &file), Some(true));
        assert_eq!(mode_lets(ours, Right::Read, &folder.path().join("none")), None);
    }
}
