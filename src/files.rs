//! What the operating system says about files: which one a path names, who may use it, how much room there is. It opens
//! none of them.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags, RenameFlags, StatVfsMountFlags, accessat, statfs, statvfs};
use rustix::io::Errno;

/// Which file a path names: one that takes its place by a rename is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Of the file at this path, links followed; `None` where there is none.
    pub fn of(path: &Path) -> Option<Self> {
        Some(Self::of_metadata(&std::fs::metadata(path).ok()?))
    }

    pub fn of_metadata(file: &Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino() }
    }
}

/// What somebody wants to do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Read,
    Write,
    /// Go through a folder.
    Enter,
}

impl Right {
    fn access(self) -> Access {
        match self {
            Self::Read => Access::READ_OK,
            Self::Write => Access::WRITE_OK,
            Self::Enter => Access::EXEC_OK,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Enter => "enter",
        }
    }
}

/// The user that this process acts as.
pub fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The group as which we make files.
pub fn effective_group() -> u32 {
    rustix::process::getegid().as_raw()
}

/// The user that the file belongs to.
pub fn owner(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|file| file.uid())
}

/// A file that root has made in somebody else's folder is theirs: else whoever works there could not use it.
///
/// # Errors
/// When the system refuses it.
pub fn give_to_owner_of(file: &File, folder: &Path) -> std::io::Result<()> {
    give_to_owner_of_file(file, &std::fs::metadata(folder)?)
}

/// Creates a file of our own, for its owner alone; what root creates in somebody's folder is theirs.
///
/// # Errors
/// Where the name is taken, by a link too, or the file cannot be created.
pub fn create_own(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    give_to_owner_of(&file, folder_of(path))?;
    Ok(file)
}

/// Opens a file of our own that is there, or creates it. Whoever may write the folder could put anything there for root to
/// open: no link is followed, no pipe waited for, no file with another name used, and what was there stays whose it is.
///
/// # Errors
/// Where it cannot be created, or is not such a file; the message says what to do.
pub fn open_or_create_own(path: &Path) -> std::io::Result<File> {
    loop {
        match create_own(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            created => return created,
        }
        match open_own(path, OpenOptions::new().write(true)) {
            // Removed meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            opened => return opened,
        }
    }
}

/// Opens a file of our own that is there.
///
/// # Errors
/// Where there is none, or what is there is a link, no regular file, or a file with another name.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    let refusal = |what: &str| Err(std::io::Error::other(format!("{what}: remove it")));
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match options.custom_flags(flags.bits().cast_signed()).open(path) {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return refusal("it is a link");
        }
        // A pipe that nobody reads.
        Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
            return refusal("it is no regular file");
        }
        opened => opened?,
    };
    let is = file.metadata()?;
    if !is.is_file() {
        return refusal("it is no regular file");
    }
    if is.nlink() > 1 {
        return refusal("it has another name as well (a hard link)");
    }
    Ok(file)
}

/// Why root does not go where this path leads: it is a link that another user has put there, who could so have root write
/// where they may not. `None` for everybody else.
pub fn link_of_others(path: &Path) -> Option<String> {
    let link = std::fs::symlink_metadata(path).ok().filter(Metadata::is_symlink)?;
    let (owner, name) = (link.uid(), path.display());
    (effective_user() == 0 && owner != 0).then(|| {
        format!(
            "{name} is a link of user {owner}, and root follows no link of others: run rosterd as user {owner}, or enter the \
             path of the file itself"
        )
    })
}

/// The rights on the file: the last twelve bits of its mode.
pub fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|file| file.mode() & 0o7777)
}

/// Whether this process may do that with the file that is there.
pub fn may(right: Right, path: &Path) -> bool {
    accessat(CWD, path, right.access(), AtFlags::EACCESS).is_ok()
}

/// The folder that a path lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Links that are followed before they are taken for a circle.
const MOST_LINKS: u32 = 40;

/// The path without links, as far as it exists.
pub fn resolved(path: &Path) -> PathBuf {
    // A link may lead to a file that is yet to be created.
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match (path.canonicalize(), std::fs::read_link(&path)) {
            (Ok(path), _) => return path,
            (Err(_), Ok(target)) => path = folder_of(&path).join(target),
            (Err(_), Err(_)) => break,
        }
    }
    let name = path.components().next_back();
    match (folder_of(&path).canonicalize(), name) {
        (Ok(folder), Some(Component::Normal(name))) => folder.join(name),
        _ => path.clone(),
    }
}

/// The file with this ending beside another, as SQLite names its own.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The right that is missing for this, in words and with what to do; `None` where none is missing, or where nothing is
/// there.
pub fn missing_right(right: Right, path: &Path) -> Option<String> {
    let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
    folders.reverse();
    let folders = folders.into_iter().filter(|folder| !folder.as_os_str().is_empty());
    for folder in folders {
        if folder.exists() && !may(Right::Enter, folder) {
            return Some(refusal(Right::Enter, folder));
        }
    }
    (path.exists() && is_refused(right, path)).then(|| refusal(right, path))
}

/// Whether the file that is there refuses that. SQLite takes its own files away when the last connection ends, in the midst of
/// a look: what is gone refuses nothing.
fn is_refused(right: Right, path: &Path) -> bool {
    accessat(CWD, path, right.access(), AtFlags::EACCESS).is_err_and(|refused| refused != Errno::NOENT)
}

fn refusal(right: Right, path: &Path) -> String {
    let (us, name) = (effective_user(), path.display());
    if right == Right::Write && is_read_only(path) {
        return format!(
            "{name} lies on a file system that is mounted read-only: mount it for writing, under systemd with \
             ReadWritePaths={name} (systemctl edit rosterd)"
        );
    }
    let Ok(file) = std::fs::metadata(path) else {
        return format!("user {us} has no permission to {} {name}", right.as_str());
    };
    let (owner, group, mode) = (file.uid(), file.gid(), file.mode() & 0o7777);
    format!(
        "user {us} has no permission to {} {name}, which belongs to user {owner} and group {group} and has mode \
         {mode:04o}: give it with chown, chmod or a common group, or run rosterd as user {owner}",
        right.as_str()
    )
}

/// How many names the file at this path has, links followed; 1 where there is none.
pub fn names(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(1, |file| file.nlink())
}

/// Whether something is mounted at this very path: a single file, where it is none of a folder. What lies beside it in its
/// own folder is not seen then.
pub fn is_mounted_alone(path: &Path) -> bool {
    // Contract: proc(5), /proc/PID/mountinfo: the fifth field is the mount point, with blanks and backslashes in octal.
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else { return false };
    let escaped = |at: &str| {
        at.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
    };
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|at| Path::new(&escaped(at)) == path)
}

/// Whether the file system of this file is mounted read-only.
pub fn is_read_only(path: &Path) -> bool {
    statvfs(path).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Less room than this is none: SQLite asks for whole pages, and for 32 KiB of an index of its log at once.
const LEAST_ROOM_BYTES: u64 = 128 * 1024;

/// Whether the file system of this folder has no room left, for data or for files.
pub fn is_full(folder: &Path) -> bool {
    statvfs(folder).is_ok_and(|system| {
        let no_inode = system.f_files > 0 && system.f_favail == 0;
        no_inode || system.f_bavail.saturating_mul(system.f_frsize) < LEAST_ROOM_BYTES
    })
}

/// The bytes that this process may still write on the file system of this folder; `None` where nobody can tell.
pub fn room_in(folder: &Path) -> Option<u64> {
    statvfs(folder).ok().map(|system| system.f_bavail.saturating_mul(system.f_frsize))
}

/// Whether the system says that there is no room: on the disk, in what one user may have of it, or below the largest size that a
/// file of this process may have.
pub fn is_no_room(source: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

/// The largest size that a file of this process may have, in bytes (`ulimit -f`); `None` where there is no limit.
pub fn file_size_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current
}

/// File systems of other machines by the number that the kernel gives them.
// Source: linux/magic.h, and the file systems' own headers; read 2026-11-27.
const SHARES: [(u32, &str); 15] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564c, "NCP"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x786f_4256, "VirtualBox"),
    (0xbacb_acbc, "VMware"),
    // sshfs, rclone and the folders that Docker Desktop shares. Local ones cannot be told apart from them.
    (0x6573_5546, "FUSE"),
];

/// How large a file is and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    bytes: u64,
    modified: (i64, u32),
    changed: (i64, u32),
}

impl Written {
    /// Of the file at this path; `None` where there is none. On a network share as the machine knows it on which the file
    /// lies, not as it was last heard of here.
    #[cfg(target_os = "linux")]
    pub fn of(path: &Path) -> Option<Self> {
        use rustix::fs::{StatxFlags, statx};
        let file = statx(CWD, path, AtFlags::STATX_FORCE_SYNC, StatxFlags::BASIC_STATS).ok()?;
        Some(Self {
            bytes: file.stx_size,
            modified: (file.stx_mtime.tv_sec, file.stx_mtime.tv_nsec),
            changed: (file.stx_ctime.tv_sec, file.stx_ctime.tv_nsec),
        })
    }

    /// Of the file at this path; `None` where there is none.
    #[cfg(not(target_os = "linux"))]
    pub fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        let nanoseconds = |part: i64| u32::try_from(part).unwrap_or(0);
        Some(Self {
            bytes: file.len(),
            modified: (file.mtime(), nanoseconds(file.mtime_nsec())),
            changed: (file.ctime(), nanoseconds(file.ctime_nsec())),
        })
    }
}

/// One arrival of a file: which file it is and when it was last changed, by whatever means. One that is written on, replaced,
/// renamed or given other rights is another arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    identity: FileIdentity,
    written: Written,
}

impl Arrival {
    /// Of the regular file at this path, no link; `None` where there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let file = std::fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
        Some(Self { identity: FileIdentity::of_metadata(&file), written: Written::of(path)? })
    }

    pub fn is_of(&self, file: &Metadata) -> bool {
        self.identity == FileIdentity::of_metadata(file)
    }

    pub fn bytes(&self) -> u64 {
        self.written.bytes
    }

    /// When its contents were last written, as its writer says.
    pub fn modified_ns(&self) -> i128 {
        nanoseconds(self.written.modified)
    }

    /// When anything about it was last changed, as the machine says on which it lies.
    pub fn changed_ns(&self) -> i128 {
        nanoseconds(self.written.changed)
    }

    /// A text that no other arrival has.
    pub fn mark(&self) -> String {
        let FileIdentity { device, inode } = self.identity;
        let Written { bytes, .. } = self.written;
        format!("{device}:{inode}:{bytes}:{}:{}", self.modified_ns(), self.changed_ns())
    }
}

fn nanoseconds((seconds, part): (i64, u32)) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(part)
}

/// Opens a regular file to read it; no link is followed, and no pipe waited for.
///
/// # Errors
/// Where there is none, or it may not be read.
pub fn open_regular(path: &Path) -> std::io::Result<std::fs::File> {
    use rustix::fs::Mode;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = std::fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::ErrorKind::InvalidInput.into()) }
}

/// Moves a file to a name that nobody has yet.
///
/// # Errors
/// Where the name is taken, or the file cannot be moved.
pub fn move_to_free_name(from: &Path, to: &Path) -> std::io::Result<()> {
    // A hard link to somebody else's file is forbidden on most machines (protected_hardlinks), so it is the second way alone.
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            std::fs::hard_link(from, to)?;
            std::fs::remove_file(from)
        }
        moved => Ok(moved?),
    }
}

/// What root has just made belongs to whom another file belongs: its service must be able to use it. `made` is open, so that no
/// link in its place is followed.
///
/// # Errors
/// When the system refuses it.
pub fn give_to_owner_of_file(made: &File, other: &Metadata) -> std::io::Result<()> {
    let own = made.metadata()?;
    if own.uid() == 0 && other.uid() != 0 && effective_user() == 0 {
        std::os::unix::fs::fchown(made, Some(other.uid()), Some(other.gid()))?;
    }
    Ok(())
}

/// Opens a folder itself; no link is followed.
///
/// # Errors
/// Where there is none, or it may not be read.
pub fn open_folder(path: &Path) -> std::io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// The kind of network share that this file lies on, if it does: neither locks nor shared memory are to be trusted there.
pub fn network_share(path: &Path) -> Option<&'static str> {
    share_of(statfs(path).ok()?.f_type)
}

fn share_of<N: TryInto<i64>>(kind: N) -> Option<&'static str> {
    // The kernel's number has 32 bits; where it is kept in a signed word, its upper half comes out negative.
    let kind: i64 = kind.try_into().ok()?;
    let kind = u32::try_from(kind & 0xffff_ffff).ok()?;
    SHARES.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_shares_are_told_by_the_kernels_number_whatever_its_sign() {
        let table: [(&str, i64, Option<&str>); 6] = [
            ("nfs", 0x6969, Some("NFS")),
            ("cifs", 0xff53_4d42, Some("CIFS")),
            ("cifs in a signed word", i64::from(0xff53_4d42_u32.cast_signed()), Some("CIFS")),
            ("fuse", 0x6573_5546, Some("FUSE")),
            ("ext4", 0xef53, None),
            ("tmpfs", 0x0102_1994, None),
        ];
        for (row, kind, share) in table {
            assert_eq!(share_of(kind), share, "{row}");
        }
    }

    #[test]
    fn a_link_and_the_file_that_it_leads_to_are_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(FileIdentity::of(&file), FileIdentity::of(&link));
        assert_eq!(resolved(&link), resolved(&file));
        assert_eq!(resolved(&folder.path().join("none")).file_name(), Some("none".as_ref()));
    }
}
