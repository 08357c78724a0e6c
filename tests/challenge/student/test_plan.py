"""A plan's stages, in order and in words."""

from dcase_system.challenge.student.plan import StudentPlan, plan_in_words, steps
from dcase_system.pruning.rounds import PruningRound

ROUNDS = (
    PruningRound(ratio=0.5, epochs=75, tuning_epochs=150),
    PruningRound(ratio=0.3, epochs=20, tuning_epochs=30),
)


def test_the_last_stage_is_the_student():
    plan = StudentPlan(architecture="sscp_mobile_64", epochs=150, rounds=ROUNDS, batch_size=256)
    found = [(step.name, step.epochs) for step in steps(plan)]
    assert found == [
        ("wide", 150),
        ("pruned1", 75),
        ("tuned1", 150),
        ("pruned2", 20),
        ("student", 30),
    ]


def test_a_plan_is_said_in_one_line_before_it_starts():
    plan = StudentPlan(architecture="sscp_mobile_64", epochs=150, rounds=ROUNDS[:1], batch_size=256)
    assert plan_in_words(plan, 1_000) == (
        "epochs: wide 150 -> pruned1 75 -> student 150; "
        "1,000 training clips in batches of 256: 4 steps per epoch, 1,500 in all"
    )
