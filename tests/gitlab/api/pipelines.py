"""Pipelines and jobs. No runner is here: a test that plays one takes the pending jobs and says what came of them."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from tests.gitlab import shapes
from tests.gitlab.answers import Answer, RefusedError, bad, forbidden, not_found
from tests.gitlab.call import Call, on, time
from tests.gitlab.configuration import Configuration, configuration
from tests.gitlab.deliveries import tell
from tests.gitlab.paging import paged
from tests.gitlab.payloads import job_event, pipeline_event
from tests.gitlab.pushing import may_push, rule_for
from tests.gitlab.repository import EMPTY, Repository
from tests.gitlab.site import Job, Level, Pipeline, User


@on("POST", "/projects/{id}/pipeline")
def start(call: Call) -> Answer:
    """Start a pipeline on a branch, with inputs that the configuration declares."""
    call.needs(Level.DEVELOPER)
    one = begun(call, user=call.user, source="api")
    return Answer(status=201, body=shape(one, call))


def begun(call: Call, *, user: User, source: str) -> Pipeline:
    """Make a pipeline, with the rights of a user."""
    project, ref = call.project, call.text("ref")
    repository = Repository(project.folder)
    sha = repository.branches().get(ref)
    if sha is None:
        raise bad({"base": ["Reference not found"]})
    if not may_push(call.site, project, user=user, branch=ref) and not _may_run(call, ref, user=user):
        raise bad({"base": ["You do not have sufficient permission to run a pipeline on '" + ref + "'"]})
    text = repository.read(sha, ".gitlab-ci.yml")
    if text is None:
        raise bad({"base": ["Missing CI config file"]})
    given = call.given.get("inputs")
    variables = {"CI_PIPELINE_SOURCE": source, "CI_COMMIT_BRANCH": ref, "CI_DEFAULT_BRANCH": project.default_branch}
    made = configuration(text.decode(), inputs=given if isinstance(given, dict) else {}, variables=variables)
    if made.problems:
        raise bad({"base": list(made.problems)})
    one = _pipeline(call, sha=sha, made=made, source=source)
    one.user = user
    tell(call.site, project, "pipeline", event=lambda: pipeline_event(one, call))
    return one


def _may_run(call: Call, ref: str, *, user: User) -> bool:
    """Whoever may merge into a protected branch may run pipelines on it."""
    rule = rule_for(call.project, ref)
    level = call.site.level(call.project, user)
    return rule is None or (rule.merge is not Level.NONE and level >= rule.merge)


def _pipeline(call: Call, *, sha: str, made: Configuration, source: str) -> Pipeline:
    now, ref = call.now(), call.text("ref")
    variables = call.given.get("variables")
    one = Pipeline(
        id=call.site.number(),
        iid=max((old.iid for old in call.project.pipelines.values()), default=0) + 1,
        ref=ref,
        sha=sha,
        source=source,
        user=call.user,
        created=now,
        updated=now,
        inputs=dict(made.inputs),
        variables={one["key"]: one["value"] for one in variables if "key" in one}
        if isinstance(variables, list)
        else {},
    )
    for job in made.jobs:
        one.jobs.append(
            Job(
                id=call.site.number(),
                name=job.name,
                stage=job.stage,
                created=now,
                tags=job.tags,
                resource_group=job.resource_group,
                status="pending",
            )
        )
        if job.resource_group:
            call.project.resource_groups.setdefault(job.resource_group, "unordered")
    call.project.pipelines[one.id] = one
    return one


@on("GET", "/projects/{id}/pipelines")
def pipelines(call: Call) -> Answer:
    """The pipelines, newest first."""
    query = call.query
    rows = [
        one
        for one in call.project.pipelines.values()
        if query.get("ref", one.ref) == one.ref
        and query.get("status", one.status) == one.status
        and query.get("sha", one.sha) == one.sha
    ]
    return paged(call, rows[::-1], lambda one: _basic(one, call), key=lambda one: one.id)


@on("GET", "/projects/{id}/pipelines/{pipeline_id}")
def pipeline(call: Call) -> Answer:
    """One pipeline."""
    return Answer(body=shape(_found(call), call))


@on("GET", "/projects/{id}/pipelines/{pipeline_id}/jobs")
def jobs_of(call: Call) -> Answer:
    """The jobs of a pipeline."""
    one = _found(call)
    return paged(call, one.jobs, lambda job: job_shape(job, one, call))


@on("POST", "/projects/{id}/pipelines/{pipeline_id}/cancel")
def cancel(call: Call) -> Answer:
    """Cancel what has not ended."""
    one = _found(call)
    call.needs(Level.DEVELOPER)
    for job in one.jobs:
        if job.status in {"created", "pending", "running"}:
            job.status, job.finished = "canceled", call.now()
    one.cancelled, one.updated = True, call.now()
    tell(call.site, call.project, "pipeline", event=lambda: pipeline_event(one, call))
    return Answer(status=201, body=shape(one, call))


@on("GET", "/projects/{id}/jobs/{job_id}")
def job(call: Call) -> Answer:
    """One job."""
    one, found = _job(call)
    return Answer(body=job_shape(found, one, call))


@on("GET", "/projects/{id}/jobs/{job_id}/trace")
def trace(call: Call) -> Answer:
    """What a job printed so far."""
    return Answer(body=_job(call)[1].trace, media="text/plain")


@on("GET", "/projects/{id}/jobs/{job_id}/artifacts")
def artifacts(call: Call) -> Answer:
    """What a job left, as a zip file."""
    data = _job(call)[1].artifacts
    if data is None:
        raise not_found()
    return Answer(body=data, media="application/zip")


@on("GET", "/projects/{id}/jobs/{job_id}/artifacts/{artifact_path}")
def artifact(call: Call) -> Answer:
    """One file of what a job left; of files in folders the stand-in knows nothing."""
    data, name = _job(call)[1].artifacts, call.parts["artifact_path"]
    if data is None:
        raise not_found()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if name not in archive.namelist():
            raise not_found()
        return Answer(body=archive.read(name), media="application/octet-stream")


@on("POST", "/projects/{id}/jobs/{job_id}/retry")
def retry(call: Call) -> Answer:
    """Run a job that has ended once more: as a new job, with a number of its own."""
    one, found = _job(call)
    call.needs(Level.DEVELOPER)
    if found.status not in {"success", "failed", "canceled"}:
        raise forbidden()
    again = Job(
        id=call.site.number(),
        name=found.name,
        stage=found.stage,
        created=call.now(),
        tags=found.tags,
        resource_group=found.resource_group,
        status="pending",
    )
    one.jobs.append(again)
    return Answer(status=201, body=job_shape(again, one, call))


@on("POST", "/projects/{id}/jobs/{job_id}/cancel")
def cancel_job(call: Call) -> Answer:
    """Cancel one job."""
    one, found = _job(call)
    call.needs(Level.DEVELOPER)
    if found.status in {"created", "pending", "running"}:
        found.status, found.finished = "canceled", call.now()
        tell(call.site, call.project, "job", event=lambda: job_event(found, one, call))
    return Answer(status=201, body=job_shape(found, one, call))


@on("GET", "/projects/{id}/resource_groups/{key}")
def resource_group(call: Call) -> Answer:
    """The queue of jobs that exclude each other."""
    key = call.parts["key"]
    if key not in call.project.resource_groups:
        raise not_found()
    return Answer(body=_group(call, key))


@on("PUT", "/projects/{id}/resource_groups/{key}")
def change_resource_group(call: Call) -> Answer:
    """In which order its jobs run."""
    call.needs(Level.MAINTAINER)
    key, mode = call.parts["key"], call.text("process_mode")
    if key not in call.project.resource_groups:
        raise not_found()
    if mode not in {"unordered", "oldest_first", "newest_first", "newest_ready_first"}:
        raise bad("process_mode does not have a valid value")
    call.project.resource_groups[key] = mode
    return Answer(body=_group(call, key))


def _group(call: Call, key: str) -> dict[str, Any]:
    moment = time(call.project.created)
    mode = call.project.resource_groups[key]
    return {"id": 1, "key": key, "process_mode": mode, "created_at": moment, "updated_at": moment}


def _found(call: Call) -> Pipeline:
    number = call.parts["pipeline_id"]
    found = call.project.pipelines.get(int(number)) if number.isdigit() else None
    if found is None:
        raise not_found()
    return found


def _job(call: Call) -> tuple[Pipeline, Job]:
    if not re.fullmatch(r"\d+", call.parts["job_id"]):
        raise bad("job_id is invalid")
    if call.level < Level.REPORTER:
        raise forbidden()
    for one in call.project.pipelines.values():
        for found in one.jobs:
            if str(found.id) == call.parts["job_id"]:
                return one, found
    raise RefusedError(404, "404 Not Found")


def _basic(one: Pipeline, call: Call) -> dict[str, Any]:
    return {
        "id": one.id,
        "iid": one.iid,
        "project_id": call.project.id,
        "sha": one.sha,
        "ref": one.ref,
        "status": one.status,
        "source": one.source,
        "created_at": time(one.created),
        "updated_at": time(one.updated),
        "web_url": f"{call.base}/{call.project.path}/-/pipelines/{one.id}",
    }


def shape(one: Pipeline, call: Call) -> dict[str, Any]:
    """A pipeline as GitLab shows it."""
    ended = [job.finished for job in one.jobs if job.finished]
    return _basic(one, call) | {
        "before_sha": EMPTY,
        "tag": False,
        "yaml_errors": None,
        "user": shapes.user(one.user, call.base),
        "started_at": None,
        "finished_at": time(max(ended)) if len(ended) == len(one.jobs) and ended else None,
        "committed_at": None,
        "duration": None,
        "queued_duration": None,
        "coverage": None,
        "archived": False,
    }


def job_shape(one: Job, of: Pipeline, call: Call) -> dict[str, Any]:
    """A job as GitLab shows it."""
    seconds = (one.finished - one.started).total_seconds() if one.finished and one.started else None
    file = {"filename": "artifacts.zip", "size": len(one.artifacts)} if one.artifacts is not None else None
    return {
        "id": one.id,
        "status": one.status,
        "stage": one.stage,
        "name": one.name,
        "ref": of.ref,
        "tag": False,
        "coverage": None,
        "allow_failure": False,
        "created_at": time(one.created),
        "started_at": time(one.started),
        "finished_at": time(one.finished),
        "erased_at": None,
        "duration": seconds,
        "queued_duration": None,
        "user": shapes.user(of.user, call.base),
        "commit": Repository(call.project.folder).commit(of.sha),
        "pipeline": _basic(of, call),
        "failure_reason": one.failure,
        "web_url": f"{call.base}/{call.project.path}/-/jobs/{one.id}",
        "project": {"ci_job_token_scope_enabled": None},
        "artifacts": [],
        "artifacts_file": file,
        "runner": None,
        "runner_manager": None,
        "artifacts_expire_at": None,
        "archived": False,
        "tag_list": list(one.tags),
    }
