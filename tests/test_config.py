"""What a machine adds to settings; the settings themselves are tested where they are read at a commit."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from runner import config
from runner.errors import OperatorError


def test_a_worker_is_given_what_it_needs_and_no_token() -> None:
    given = {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "RUNBOOK_SECRET_PW": "x", "RUNBOOK_STATE": "/s"}
    given |= {"SSH_AUTH_SOCK": "/run/agent", "HTTPS_PROXY": "http://proxy", "no_proxy": "localhost"}
    kept_back: tuple[str, ...] = (
        "GITLAB_TOKEN",
        "CI_JOB_TOKEN",
        "GIT_ASKPASS",
        "GIT_CONFIG_VALUE_0",
        "GIT_AUTHOR_NAME",
        "AWS_PROFILE",
    )
    given |= {"PIP_INDEX_URL": "https://index", "UV_FIND_LINKS": "/wheels", "UV_INDEX_OURS_PASSWORD": "x"}
    kept_back += (
        "UV_PUBLISH_TOKEN",
        "PIP_REQUIREMENT",
        "UV_CONSTRAINT",
        "SSH_CONNECTION",
        "LD_PRELOAD",
        "RUNBOOK_TOKEN",
        "VAULT_TOKEN",
        "XPATH",
        "PATHX",
    )
    assert config.worker_environment({**given, **dict.fromkeys(kept_back, "x")}) == given


def test_no_file_means_defaults() -> None:
    assert config.read(None) == config.Settings()


def test_a_setting_is_read_by_its_name_with_hyphens() -> None:
    assert config.read('[tool.runbook]\nevidence-branch = "proof"\nlease = 5\n').evidence_branch == "proof"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[tool.runbook]\nbanch = "x"\nlease = "long"\n', "banch is not a setting; lease must be of type int"),
        ("[tool.runbook]\nlease = 0\n", "lease must be"),
        ("[tool.runbook]\nlease = true\n", "lease must be"),
        ('[tool.runbook]\nbot = ""\n', "bot must be"),
        ('[tool.runbook]\nproject = "../x"\n', "project = '../x' must be of letters"),
        ('[tool.runbook]\nproject = "a--b"\nbot = "a b"\n', "project = .*; bot = 'a b'"),
        ("[tool]\nrunbook = 1\n", "not a table"),
        ("[tool.runbook", "reading"),
        ('[tool.runbook]\nexecutor = "cron"\n', "executor = 'cron' must be local or gitlab-ci"),
        ('[tool.runbook]\nexecutor = "gitlab-ci"\ngitlab-project = "1"\n', "'gitlab-ci' needs gitlab, zones"),
        ('[tool.runbook]\nzones = "x"\n', "zones must be a table"),
        ('[tool.runbook.zones]\n"a/*" = "x y"\n"b" = 1\n', "zones: the tag of 'a/\\*' .*; zones: the tag of 'b'"),
        ("[tool.runbook]\nsecret-stores = []\n", "must be a list of environment, files"),
        ('[tool.runbook]\nsecret-stores = "files"\n', "must be a list of environment, files"),
        ('[tool.runbook]\nsecret-stores = ["files", "files"]\n', "files is there twice"),
        ('[tool.runbook]\nsecret-stores = ["vauld:x", 1]\n', "'vauld:x' is not .*; secret-stores: '1' is not"),
    ],
)
def test_what_is_unknown_or_of_another_type_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(OperatorError, match=wrong):
        config.read(text)


VAULT = "vault:https://vault.example.org"


@pytest.mark.parametrize(
    "store",
    [
        "sops:runbooks/secrets.sops.yaml",
        "sops:.ops/s.env",
        f"{VAULT}/v1/kv/data/ops",
        f"{VAULT}:8200/v1/team/kv/data/ops/db?version=3",
        "vault:http://127.0.0.1:8100/v1/kv/data/ops",
    ],
)
def test_a_secret_store_is_named_by_where_it_is(store: str) -> None:
    assert config.read(f'[tool.runbook]\nsecret-stores = ["{store}"]\n').secret_stores == (store,)


@pytest.mark.parametrize(
    "store",
    [
        "sops:/etc/s.yaml",
        "sops:../s.yaml",
        "sops:a/../../s.yaml",
        "sops:a/..",
        "sops:secrets",
        "vault:http://vault.example.org/v1/kv/data/ops",
        "vault:https://user:pw@vault.example.org/v1/kv/data/ops",
        f"{VAULT}/v1/kv/ops",
        f"{VAULT}/v1/kv/data/ops?version=0",
        f"{VAULT}/v1/kv/data/ops?token=x",
        f"{VAULT}/v1/kv/data/ops#x",
        "vault:kv/ops",
    ],
)
def test_a_secret_store_that_could_be_somewhere_else_is_refused(store: str) -> None:
    with pytest.raises(OperatorError, match="secret-stores: ") as caught:
        config.read(f'[tool.runbook]\nsecret-stores = ["{store}"]\n')
    assert "pw" not in str(caught.value)
    assert "token" not in str(caught.value)


def test_a_machine_may_be_called_by_another_name_in_events() -> None:
    assert config.host({"RUNBOOK_HOST": "ops-1"}) == "ops-1"
    assert config.host({"RUNBOOK_HOST": ""}) == socket.gethostname()


def test_state_is_where_the_environment_says_and_never_in_the_repository() -> None:
    assert config.state_folder("p", {"RUNBOOK_STATE": "/s"}) == Path("/s/p")
    assert config.state_folder("p", {"XDG_STATE_HOME": "/x"}) == Path("/x/runbook/p")
    assert config.state_folder("p", {}) == Path.home() / ".local" / "state" / "runbook" / "p"


def test_zones_keep_their_order_because_the_first_match_counts() -> None:
    text = '[tool.runbook.zones]\n"production/*" = "prod-runner"\n"*" = "any.runner"\n'
    assert config.read(text).zones == (("production/*", "prod-runner"), ("*", "any.runner"))
