"""Secrets come from files and never print."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import pickle
import traceback
from pathlib import Path

import pytest
import yaml

from yardlight.inventory.secret import read_secret
from yardlight.inventory.values import Secret

HIDDEN = "correct-horse-battery"


@dataclasses.dataclass(frozen=True)
class Account:
    """Something that holds a secret, as the inventory's accounts will."""

    user: str
    token: Secret


def test_a_secret_is_read_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    (tmp_path / "noc").write_text(f"{HIDDEN}\n")
    assert read_secret("noc", tmp_path).reveal() == HIDDEN
    assert read_secret(str(tmp_path / "noc"), Path("/nowhere")).reveal() == HIDDEN


def test_a_secret_never_prints(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "noc").write_text(HIDDEN)
    account = Account("noc", read_secret("noc", tmp_path))
    logging.getLogger("test").warning("%s %r", account, account.token)
    dumps = [
        repr(account), str(account), f"{account.token}", f"{account.token!r:>40}", str(vars(account)),
        json.dumps(vars(account), default=str), yaml.dump(str(account)), caplog.text,
    ]  # fmt: skip
    assert not [dump for dump in dumps if HIDDEN in dump]
    assert all("***" in dump for dump in dumps)
    with pytest.raises(TypeError):
        pickle.dumps(account)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the secret file 'noc': no such file or directory"),
        (b"\n", "the secret file 'noc' is empty"),
        (b"", "the secret file 'noc' is empty"),
        (HIDDEN.encode() + b"\nand more\n", "the secret file 'noc' has more than one line"),
        (HIDDEN.encode() + b"\xff", "cannot read the secret file 'noc': it is not UTF-8 text"),
    ],
)
def test_an_unreadable_secret_is_one_clear_line_that_does_not_show_it(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "noc").write_bytes(content)
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        read_secret("noc", tmp_path)
    assert str(error.value) == message
    assert HIDDEN not in "".join(traceback.format_exception(error.value))


def test_a_key_that_is_given_out_as_a_file_may_have_lines(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"-----BEGIN\n{HIDDEN}\n")
    assert read_secret("key", tmp_path, lines=True).reveal() == f"-----BEGIN\n{HIDDEN}"


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "noc").mkdir()
    with pytest.raises(ValueError, match=r"^cannot read the secret file 'noc': is a directory$"):
        read_secret("noc", tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_secret_of_somebody_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "noc").write_text(HIDDEN)
    (tmp_path / "noc").chmod(0)
    with pytest.raises(ValueError, match=r"^cannot read the secret file 'noc': permission denied$"):
        read_secret("noc", tmp_path)
