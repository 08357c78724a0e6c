"""Teachers: independent trainings on one split, and their logits for its clips.

The report (SJTU-THU, section 3) has four PaSST: three fine-tuned from published weights, one
trained from scratch. Here a member is any architecture with its own seed and initial weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system import runs
from dcase_system.audio.clips import ClipSet, Data
from dcase_system.audio.front_ends import front_end
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.core.errors import InputError
from dcase_system.corpora.tags import presence
from dcase_system.distillation import ensemble_store
from dcase_system.distillation.ensemble import describe_ensemble
from dcase_system.distillation.logits_store import LogitsStore, write_logits
from dcase_system.distillation.plan import (
    TeacherPlan,
    checked,
    external_data_of,
    settings_of,
    trained_rows,
)
from dcase_system.models import registry
from dcase_system.models.checkpoints.initial import load_initial_weights
from dcase_system.models.checkpoints.published import published
from dcase_system.models.linear import EMBEDDING_NORM, LinearSpec
from dcase_system.models.signature import ModelSignature, save_signature
from dcase_system.models.stored import load_network, save_network
from dcase_system.parallel.workers import dismiss_others
from dcase_system.runs import stages
from dcase_system.training import seeds
from dcase_system.training.augmented import waveform_model
from dcase_system.training.batches import Examples
from dcase_system.training.fit import fit
from dcase_system.training.log import TENSORBOARD, TrainingLog
from dcase_system.training.mixup import Mixup, MixupTraining
from dcase_system.training.plan import held_out_rows, label_loss, prepare
from dcase_system.training.predict import predict

_TEST_LOGITS = "dev_test.safetensors"
_LOGITS = [ensemble_store.TRAIN_LOGITS, _TEST_LOGITS]


def train_teachers(
    run_dir: Path,
    plans: Sequence[TeacherPlan],
    data: Data,
    impulse_responses: ImpulseResponses | None = None,
    *,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Trains each member, stores its logits, and describes the ensemble in `ensemble.json`.

    Finished members are not trained again; an interrupted one resumes. The logits are those of the
    clips without augmentation.

    Args:
        run_dir: Folder of the ensemble.
        plans: Plans of the members, all with the same validation fraction.
        data: Clips.
        impulse_responses: Impulse responses for members with device augmentation.
        overwrite: Whether to first remove an existing run in the folder.

    Returns:
        `describe_ensemble` of the training clips (`train`), of those held out, if any
        (`validation`), and of the dev-test clips (`dev_test`). With folds, `train` scores each
        member on the clips it was trained on, and `out_of_fold` on the others.

    Raises:
        InputError: The plans are inconsistent or do not match the data; the directory holds
            something else or is in use by another run, see `runs.begun`; or a training diverges.
    """
    settings = settings_of(plans, data.split, data.record, impulse_responses)
    plans, members = checked(plans, len(data.scenes)), settings["members"]
    with runs.begun(run_dir, settings, overwrite=overwrite):
        keys = {
            plan.name: _member(
                run_dir / plan.name, plan, members[plan.name], data, impulse_responses
            )
            for plan in plans
        }
        dismiss_others()
        description = _describe(run_dir, keys, data, plans)
        ensemble_store.write_ensemble(
            run_dir,
            keys,
            split=data.split,
            scenes=data.scenes,
            validation_fraction=plans[0].validation_fraction,
            external_data=external_data_of(plans),
            description=description,
        )
    return description


def train_member(
    run_dir: Path,
    plans: Sequence[TeacherPlan],
    number: int,
    data: Data,
    impulse_responses: ImpulseResponses | None = None,
) -> None:
    """Trains one member and stores its logits, so that `train_teachers` finds it done.

    Other processes may train other members in the same folder at the same time.

    Args:
        run_dir: Folder of the ensemble.
        plans: Plans of all members.
        number: Number of the member, from 1.
        data: Clips.
        impulse_responses: Impulse responses for members with device augmentation.

    Raises:
        InputError: As for `train_teachers`, or there is no such member.
    """
    settings = settings_of(plans, data.split, data.record, impulse_responses)
    plans = checked(plans, len(data.scenes))
    if not 1 <= number <= len(plans):
        raise InputError(
            "no such member", where="teachers", expected=f"1 to {len(plans)}", received=number
        )
    plan = plans[number - 1]
    runs.join(run_dir, settings)
    _member(run_dir / plan.name, plan, settings["members"][plan.name], data, impulse_responses)


def _member(
    folder: Path,
    plan: TeacherPlan,
    settings: Mapping[str, Any],
    data: Data,
    impulse_responses: ImpulseResponses | None,
) -> str:
    """Trains one member and stores its logits; returns its fingerprint."""
    inputs = {**settings, "split": data.split, "clips": data.train.key}
    if impulse_responses is not None and plan.impulse_response_probability:
        inputs["impulse_responses"] = impulse_responses.key
    network = ensemble_store.network_folder(folder.parent, folder.name)
    log = TrainingLog(folder / "metrics.jsonl", folder.parent / TENSORBOARD / folder.name)
    with runs.only_one(folder):
        key = stages.run_training(
            network,
            inputs,
            lambda target, checkpoint: _train(
                target, checkpoint, log, plan, data, impulse_responses
            ),
        )
        stages.run_stage(
            ensemble_store.logits_folder(folder.parent, folder.name),
            # The inputs name the files, so that a folder of an earlier version is rebuilt.
            {"teacher": key, "test": data.test.key, "files": _LOGITS},
            lambda target: _store_logits(target, key, network, plan, data),
        )
    return key


def _train(
    target: Path,
    checkpoint: Path,
    metrics_log: TrainingLog,
    plan: TeacherPlan,
    data: Data,
    impulse_responses: ImpulseResponses | None,
) -> None:
    seeds.set_seed(plan.seed)
    frames = plan.front_end.frames(data.train.audio.shape[0])
    spec = registry.for_clips(plan.spec, len(data.scenes), frames)
    network = registry.build(spec)
    if plan.initial_weights is not None:
        load_initial_weights(network, plan.initial_weights)
    if plan.frozen:
        head = published(spec).head
        for layer in network.layers:
            layer.trainable = layer.name in head
    rows = trained_rows(data.train.clips, plan)
    if isinstance(spec, LinearSpec) or plan.initial_weights is not None:
        _standardise_embedding(network, plan, data.train.audio.take(np.flatnonzero(rows)))
    clips = data.train.clips
    labels, metrics = presence(clips.labels, len(data.scenes)), []
    if not data.several_labels:
        metrics.append(keras.metrics.CategoricalAccuracy(name="accuracy"))
    training = prepare(
        network,
        plan.front_end,
        data.train,
        labels,
        plan,
        impulse_responses,
        only=rows | held_out_rows(clips, plan.validation_fraction),
    )
    if plan.mixup_alpha:
        mixup = Mixup(plan.mixup_alpha, seeds.derive(plan.seed, "mixup"))
        training = replace(training, model=MixupTraining(training.model, mixup))
    fit(
        training,
        plan,
        loss=label_loss(data.several_labels),
        metrics=metrics,
        checkpoint=checkpoint,
        metrics_log=metrics_log,
        name=f"split{data.split} teacher {plan.name}",
    )
    save_network(target, network, spec)
    samples = data.train.audio.shape[0]
    save_signature(target, ModelSignature(data.scenes, plan.front_end, samples))


def _standardise_embedding(network: keras.Model, plan: TeacherPlan, waveforms: Examples) -> None:
    """Sets and keeps the statistics of the batch norm before a classifier of embeddings, if any.

    They are those of the clips without augmentation: few batches of augmented clips, mixed ones
    above all, have other statistics than the clips for which the teacher answers.
    """
    layers = [layer for layer in network.layers if layer.name == EMBEDDING_NORM]
    if not layers:
        return
    (layer,) = layers
    embedding = keras.Model(network.input, layer.input)
    model = waveform_model(embedding, front_end(plan.front_end), waveforms.shape[0])
    values = predict(model, waveforms)  # (clips, 1, 1, values)
    layer.moving_mean.assign(values.mean(axis=(0, 1, 2)))
    layer.moving_variance.assign(values.var(axis=(0, 1, 2)))
    layer.trainable = False


def _store_logits(target: Path, key: str, folder: Path, plan: TeacherPlan, data: Data) -> None:
    network = load_network(folder)
    model = waveform_model(network, front_end(plan.front_end), data.train.audio.shape[0])
    trained = None
    if plan.folds > 1:
        trained = tuple(trained_rows(data.train.clips, plan).tolist())
    for name, clip_set, rows in (
        (ensemble_store.TRAIN_LOGITS, data.train, trained),
        (_TEST_LOGITS, data.test, None),
    ):
        logits = predict(model, clip_set.audio)
        filenames = clip_set.clips.filenames
        store = LogitsStore(key, data.split, data.scenes, filenames, logits, rows)
        write_logits(target / name, store)


def _describe(
    run_dir: Path, keys: Mapping[str, str], data: Data, plans: Sequence[TeacherPlan]
) -> dict[str, Any]:
    """`describe_ensemble` of the training clips, the held-out ones, and the dev-test list."""
    held_out = held_out_rows(data.train.clips, plans[0].validation_fraction)
    trained = {plan.name: trained_rows(data.train.clips, plan) for plan in plans}
    by_folds = plans[0].folds > 1

    def described(
        name: str,
        clip_set: ClipSet,
        rows: np.ndarray,
        used: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, Any]:
        """`describe_ensemble` of some clips of a list, and of what counts of each member."""
        stores = ensemble_store.read_members(
            run_dir,
            keys,
            name,
            split=data.split,
            scenes=data.scenes,
            filenames=clip_set.clips.filenames,
        )
        return describe_ensemble(
            {member: store.logits[rows] for member, store in stores.items()},
            clip_set.clips.labels[rows],
            used and {member: counted[rows] for member, counted in used.items()},
            clip_set.clips.take(rows).locations if clip_set is data.test else None,
        )

    name = ensemble_store.TRAIN_LOGITS
    parts = {"train": described(name, data.train, ~held_out, trained if by_folds else None)}
    if by_folds:
        others = {member: ~rows for member, rows in trained.items()}
        parts["out_of_fold"] = described(name, data.train, ~held_out, others)
    if held_out.any():
        parts["validation"] = described(name, data.train, held_out)
    parts["dev_test"] = described(_TEST_LOGITS, data.test, np.ones(len(data.test), bool))
    return parts
