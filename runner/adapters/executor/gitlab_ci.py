"""Workers in GitLab CI: the order travels on a branch made for it, a job carries it out, a file of the job comes back.

The pipeline is started first and its job, which waits, is named in what is pushed: so whatever is killed or answered
too late, no second job is ever let in, and one that somebody starts by hand finds nothing that is for it. A push that
creates the branch is the claim; where it was made and not noted here, it is found again on the remote.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from runner.adapters.executor import errands
from runner.adapters.executor.errands import Errand, Given
from runner.adapters.executor.gitlab_looking import Outside, look, soon
from runner.adapters.executor.gitlab_pipelines import Pipelines
from runner.digest import canonical, parse
from runner.errors import IntegrityError, OperatorError, OutsideError
from runner.ports import pipeline
from runner.ports.executor import Work, WorkState
from runner.ports.pipeline import ADMISSION, ADMITTED, BRANCH, CANCELLED, Admission, Cancelled
from runner.repository import refs
from runner.repository.commits import Author, write
from runner.repository.objects import Objects
from runner.repository.process import GitError

DOING = "handing work to GitLab CI"


class GitLabCi:
    """The `Executor` port on GitLab CI.

    Args:
        root: where this machine notes what it gave away.
        objects: the clone, with whose remote work travels.
        pipelines: opens the project's pipelines; called when they are first needed.
        outside: what is decided elsewhere.
    """

    def __init__(self, root: Path, *, objects: Objects, pipelines: Callable[[], Pipelines], outside: Outside) -> None:
        self._root = root
        self._objects = objects
        self._open = pipelines
        self._opened: Pipelines | None = None
        self._outside = outside

    @property
    def name(self) -> str:
        """Recorded in plan and start."""
        return "gitlab-ci"

    @property
    def isolation(self) -> str:
        """A sandbox: only that keeps the environment of the shell around a job, with the job's token, from cells."""
        return "bwrap"

    @property
    def _pipelines(self) -> Pipelines:
        self._opened = self._opened or self._open()
        return self._opened

    def refuses(self, *, targets: Sequence[str], questions: bool) -> str:
        """Targets in no zone or in several, and questions, because nothing reaches a job that waits."""
        zones = {target: self._outside.zone(target) for target in targets}
        lost = sorted(target for target, zone in zones.items() if zone is None)
        if lost:
            return f"no zone of the settings holds {', '.join(lost)}"
        if len(set(zones.values())) != 1:
            return f"its targets are in more than one zone: {', '.join(sorted({str(one) for one in zones.values()}))}"
        return "it asks people while it runs, and nobody's answer reaches a job of a pipeline" if questions else ""

    def submit(self, work: Work) -> None:
        """Start a pipeline, and push the order with the number of its job; done already, it is left alone.

        Raises:
            OperatorError: if this work cannot travel, GitLab does not let us, or its branch is somebody else's.
            OutsideError: if GitLab or the remote does not answer; submitting again is safe.
        """
        errand = errands.at(self._root, work.key)
        files = {name: data for name, data in work.files.items() if name != "trusted_keys"}
        self._may_travel(work, files)
        if not errand.there:
            errand.remove()
            errand.keep(work.key, files)
        if errand.given is not None or errand.ended is not None:
            return
        branch = BRANCH + pipeline.name_of(work.key)
        if branch in refs.heads(self._objects.repository, branch):
            if work.locks:
                self._adopt(errand, branch)
                return
            # Of what only looks, an earlier order says nothing about now.
            self._remove(branch)
        self._give(errand, work, branch=branch)

    def _may_travel(self, work: Work, files: Mapping[str, bytes]) -> None:
        wrong = self.refuses(targets=work.targets, questions=False)
        if kept_back := sorted(files.keys() - pipeline.SENT):
            wrong = f"{', '.join(kept_back)} may hold secrets, and what is sent can be read on the remote"
        if any(len(data) > pipeline.LARGEST_SENT for data in files.values()):
            wrong = f"a file of it is larger than {pipeline.LARGEST_SENT} bytes"
        if wrong:
            raise OperatorError(DOING, wrong, hint="see the limits of this executor in the README")

    def _give(self, errand: Errand, work: Work, *, branch: str) -> None:
        inputs: dict[str, str | int] = {
            "work": pipeline.name_of(work.key),
            "runner": str(self._outside.zone(work.targets[0])),
            "lock": _group(work),
            "seconds": math.ceil(work.seconds) or 3600,
        }
        made = self._pipelines.start(inputs)
        admission = Admission(order=errand.order, project=made.project, pipeline=made.pipeline, job=made.job)
        signed = self._outside.sign(canonical(admission), ADMITTED)
        commit = self._commit({**errand.files(), ADMISSION: signed}, parent=None, title=f"work for job {made.job}")
        if not refs.publish(self._objects.repository, commit, branch, expected=None):
            raise OutsideError(DOING, "its branch appeared just now", hint="run `runbook reconcile --once`")
        errand.give(Given(project=made.project, pipeline=made.pipeline, job=made.job, commit=commit))

    def _adopt(self, errand: Errand, branch: str) -> None:
        """Go on with what was pushed and not noted: exactly that order, and that job."""
        tip = refs.glimpse(self._objects.repository, branch)
        sent = {name: self._objects.read(tip, name) for name in (*pipeline.SENT, ADMISSION)} if tip else {}
        try:
            admission = parse(Admission, self._outside.opened(sent.get(ADMISSION) or b"", ADMITTED))
        except (IntegrityError, msgspec.MsgspecError) as error:
            hint = "see who wrote it, and delete the branch"
            raise OperatorError(DOING, f"its branch {branch} is not the runner's", hint=hint) from error
        errand.keep(errand.key, {name: data for name, data in sent.items() if name != ADMISSION and data is not None})
        if errand.order != admission.order:
            raise OperatorError(DOING, f"its branch {branch} holds another order", hint="see who wrote it")
        given = Given(project=admission.project, pipeline=admission.pipeline, job=admission.job, commit=tip or "")
        errand.give(given)

    def _commit(self, files: Mapping[str, bytes], *, parent: str | None, title: str) -> str:
        author = Author(name="runbook", email="work@runbook.invalid", when=self._outside.now())
        return write(self._objects, files, parent=parent, message=f"{title}\n", author=author, sign=None)

    def state(self, key: str) -> WorkState:
        """Say where a piece of work stands; GitLab is asked gently, and believed only when it says that a job ended."""
        errand = errands.at(self._root, key)
        if not errand.there:
            return WorkState.UNKNOWN
        given = errand.given
        if errand.ended is None and given is not None:
            look(errand, given, pipelines=lambda: self._pipelines, outside=self._outside)
        ended = errand.ended
        if ended is not None:
            return WorkState.SEALED if ended.result or ended.nothing_ran else WorkState.DEAD
        return WorkState.SUBMITTED if given is None else WorkState.RUNNING

    def why(self, key: str) -> str:
        """Say what GitLab told of it."""
        ended = errands.at(self._root, key).ended
        return ended.why if ended is not None and not ended.result else ""

    def collect(self, key: str) -> Mapping[str, bytes]:
        """Return what came back and was believed, or the files of work that GitLab never began."""
        errand = errands.at(self._root, key)
        ended, given = errand.ended, errand.given
        if ended is None or given is None:
            return {}
        if ended.nothing_ran:
            return self._outside.nothing(errand.files(), ended.why, ended.cancelled)
        if not ended.result:
            return {}
        return pipeline.contents(pipeline.unpacked(errand.result, order=errand.order, job=given.job))

    def progress(self, key: str, *, since: int = 0) -> bytes:  # noqa: ARG002 - the port's names
        """Nothing: what a job's cells do is seen in GitLab, in the job's own log."""
        return b""

    def live(self, key: str, *, since: int) -> tuple[bytes, int]:  # noqa: ARG002 - the port's names
        """Nothing, as above."""
        return b"", since

    def cancel(self, key: str, *, rollback: bool) -> None:
        """Tell the job on its branch; one that no runner has is ended in GitLab besides.

        Raises:
            OutsideError: if GitLab or the remote does not answer.
        """
        errand = errands.at(self._root, key)
        given = errand.given
        if given is None or errand.ended is not None or given.cancelled:
            return
        word = self._outside.sign(canonical(Cancelled(order=errand.order, rollback=rollback)), CANCELLED)
        commit = self._commit({pipeline.CANCEL: word}, parent=given.commit, title=f"cancel job {given.job}")
        branch = BRANCH + pipeline.name_of(key)
        if not refs.publish(self._objects.repository, commit, branch, expected=given.commit):
            raise OutsideError(DOING, f"somebody moved {branch}", hint="cancel the job in GitLab")
        errand.give(msgspec.structs.replace(given, commit=commit, cancelled=True))
        job = self._pipelines.job(given.job)
        # One that begins right now sees the word on its branch first.
        if job is not None and not job.began and not job.ended:
            self._pipelines.cancel(given.job)
        soon(errand)

    def deliver(self, key: str, name: str, data: bytes) -> None:
        """Nothing can be brought to a job.

        Raises:
            OutsideError: always, for work that runs: no plan that needs it is made.
        """
        del name, data
        if self.state(key) is WorkState.RUNNING:
            raise OutsideError("bringing something to a job of a pipeline", "nothing reaches it while it runs")

    def kept(self) -> tuple[str, ...]:
        """Name every piece of work that is noted here."""
        return tuple(one.key for one in errands.all_at(self._root))

    def prepare(self) -> None:
        """Runners are GitLab's to keep ready."""

    def close(self) -> None:
        """Nothing was made ready."""

    def forget(self, key: str) -> None:
        """Remove the branch and the notes, unless a job is still at it."""
        errand = errands.at(self._root, key)
        if self.state(key) is WorkState.RUNNING or not errand.folder.is_dir():
            return
        errand.forget()
        soon(errand)
        try:
            self._remove(BRANCH + pipeline.name_of(key))
        except OutsideError:
            return  # it is tried again, as long as it is noted
        errand.remove()

    def _remove(self, branch: str) -> None:
        try:
            refs.remove(self._objects.repository, branch)
        except GitError as error:
            raise OutsideError(DOING, error.wrong, hint="check that the remote can be reached") from error


def _group(work: Work) -> str:
    """The resource group: jobs of one group run one after another. The ledger's locks are what really keeps runs apart.

    GitLab takes one group for a job, so of several locks the first; what only looks excludes nobody.
    """
    if not work.locks:
        return f"runbook-look/{pipeline.name_of(work.key)}"
    return f"runbook/{re.sub(r'[^A-Za-z0-9_./-]', '.', min(work.locks)).strip('/')[:150]}".rstrip("/")
