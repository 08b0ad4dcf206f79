"""The list of checks, in the order of their numbers. Taking one out is how the tests prove that it is needed."""

from __future__ import annotations

from runner.audit.checks import (
    answers,
    approvals,
    chain,
    files,
    life,
    merges,
    outside,
    results,
    reviewed,
    secret,
    switch,
)
from runner.audit.checks.check import Check

CHECKS: tuple[type[Check], ...] = (
    chain.Numbers,  # I1
    chain.Formats,  # I2
    chain.Signed,  # I3
    chain.Links,  # I4
    chain.Times,  # I5
    files.Named,  # I6
    reviewed.Reviewed,  # I7
    life.Moves,  # I8
    life.OnePlan,  # I9
    approvals.Enough,  # I10
    approvals.FourEyes,  # I11
    reviewed.SameCells,  # I12
    reviewed.SameValues,  # I13
    life.Closed,  # I14
    files.Planted,  # I15
    files.Added,  # I16
    outside.Witnessed,  # I17
    secret.NoSecrets,  # I18
    results.Truthful,  # I19
    life.Locks,  # I20
    results.Agreeing,  # I21
    reviewed.PolicyOnward,  # I22
    outside.Comments,  # I23
    outside.Expunged,  # I24
    life.Repeated,  # I25
    switch.Halted,  # I26
    answers.Answered,  # I27
    merges.MergedFirst,  # I28
)
