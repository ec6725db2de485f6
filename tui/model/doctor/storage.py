"""Whether recordings and exports find their place."""

from __future__ import annotations

from collectors.recording.folder import VARIABLE
from collectors.storage import StorageFacts
from tui.model.doctor.finding import Area, Finding, fail, ok, warn


def judge_storage(facts: StorageFacts) -> list[Finding]:
    """Tell of everything that a recording needs."""
    return [judge_folder(facts), judge_privacy(facts), judge_room(facts)]


def judge_folder(facts: StorageFacts) -> Finding:
    """Tell whether recordings can be written, and how many there are."""
    if facts.error:
        return fail(
            *(Area.STORAGE, "recordings", f"{facts.folder}: {facts.error}"),
            f"make it writable, or export {VARIABLE}=FOLDER, or run with --no-record",
        )
    if not facts.is_there:
        return ok(Area.STORAGE, "recordings", f"{facts.folder}, made by the first run")
    number = f"{facts.recordings} recording{'' if facts.recordings == 1 else 's'}"
    return ok(Area.STORAGE, "recordings", f"{facts.folder}: writable, {number}")


def judge_privacy(facts: StorageFacts) -> Finding:
    """Tell whether others can read what is recorded."""
    if not facts.is_there:
        return ok(Area.STORAGE, "privacy", "it will be for its owner only (0700)")
    if facts.owner_uid is not None and facts.owner_uid != facts.uid:
        return warn(
            *(Area.STORAGE, "privacy", f"the folder belongs to another user ({facts.owner_uid})"),
            f"export {VARIABLE}=FOLDER with one of your own",
        )
    if facts.mode & 0o077:
        return warn(
            *(Area.STORAGE, "privacy", f"others can look into the folder ({facts.mode:04o})"),
            f"chmod 700 {facts.folder}",
        )
    return ok(Area.STORAGE, "privacy", f"for its owner only ({facts.mode:04o})")


def judge_room(facts: StorageFacts) -> Finding:
    """Tell whether a recording would be let begin."""
    if facts.free_bytes is None:
        return warn(Area.STORAGE, "room", "it can't be told how much is free", "look at it: df -h")
    text = f"{facts.free_bytes / 1e9:.1f} GB free"
    if not facts.has_room:
        return fail(
            *(Area.STORAGE, "room", f"{text}, which a recording has to leave"),
            f"make room, or export {VARIABLE}=FOLDER on another disk, or run with --no-record",
        )
    return ok(Area.STORAGE, "room", text)


def judge_working_folder(error: str) -> Finding:
    """Tell whether exports can be written to where we are.

    Args:
        error: Why not; empty where they can.
    """
    if error:
        return warn(
            *(Area.STORAGE, "this folder", f"nothing can be written here: {error}"),
            "cd to a folder of your own before a run: exports go there",
        )
    return ok(Area.STORAGE, "this folder", "writable")
