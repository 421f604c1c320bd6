"""How a business works: its pipelines, the life of a contact, and what is done when."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from crm_quality.definitions.model import Definition
from crm_quality.definitions.rule_faults import rule_faults, unknown
from crm_quality.definitions.rules import Condition, RecordRule, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crm_quality.definitions.entity import EntityDefinition
    from crm_quality.definitions.references import ReferenceFault
    from crm_quality.definitions.vocabulary import Vocabulary

#: Vocabularies of the stages of deals and of contacts.
DEAL_STAGES, LIFECYCLE_STAGES = "deal_stage", "lifecycle_stage"


class PipelineStage(Definition):
    """One stage of a pipeline.

    Attributes:
        probability: Chance of winning a deal in it, in percent; null = the deal's own counts.
        expected_days: How long a deal stays in it, as a rule.
        outcome: Whether deals in it are ``open``, ``won`` or ``lost``.
    """

    probability: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)] | None = None
    expected_days: Annotated[int, Field(ge=0)] | None = None
    outcome: Literal["open", "won", "lost"] = "open"


class Pipeline(Definition):
    """A sales process: its stages, from the first to the last.

    Attributes:
        pipeline: Its name.
        meaning: What goes through it.
        owner: Who answers for it.
        default: Whether deals that name no pipeline go through it.
        synonyms: What exports call it.
        stages: Value of the vocabulary ``deal_stage`` → stage, in order.
    """

    pipeline: str
    meaning: str = ""
    owner: str = ""
    default: bool = False
    synonyms: tuple[str, ...] = ()
    stages: dict[str, PipelineStage] = Field(min_length=1)


class Lifecycle(Definition):
    """The way from stranger to customer, and which steps on it are allowed.

    Attributes:
        lifecycle: The entity that goes it.
        meaning: What it stands for.
        owner: Who answers for it.
        stages: Values of the vocabulary ``lifecycle_stage``, from the first to the last.
        moves: Stage → the stages that may follow. A step to an earlier stage needs a reason.
    """

    lifecycle: str
    meaning: str = ""
    owner: str = ""
    stages: tuple[str, ...] = Field(min_length=2)
    moves: dict[str, tuple[str, ...]] = Field(default={})

    @model_validator(mode="after")
    def _moves_between_its_stages(self) -> Lifecycle:
        named = {*self.moves, *(stage for to in self.moves.values() for stage in to)}
        if strange := sorted(named.difference(self.stages)):
            raise ValueError(f"moves name stages that are not in stages: {', '.join(strange)}")
        return self


class TaskAction(Definition):
    """A task to be made.

    Attributes:
        subject: What is to be done.
        due: How long after the event.
        owner: Who does it; null = the owner of the record that it is about.
        priority: How urgent it is.
    """

    subject: str
    due: Span = "1d"
    owner: str | None = None
    priority: str | None = None


class FieldAction(Definition):
    """A value to be set.

    Attributes:
        field: The field.
        value: Its value.
        values: One of these instead, in turn: how records are shared out among people.
    """

    field: str
    value: str | None = None
    values: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _says_one_thing(self) -> FieldAction:
        if (self.value is None) == (self.values is None):
            raise ValueError("set a value, or one of values in turn")
        return self


class NotifyAction(Definition):
    """Somebody to be told.

    Attributes:
        to: Who.
        text: What.
    """

    to: str
    text: str


class Action(Definition):
    """One thing that a workflow does.

    Attributes:
        task: Make a task.
        tag: Put a tag on the record.
        set_: Set a field of it.
        notify: Tell somebody.
    """

    task: TaskAction | None = None
    tag: str | None = None
    set_: FieldAction | None = Field(default=None, alias="set")
    notify: NotifyAction | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Action:
        done = (self.task, self.tag, self.set_, self.notify)
        if sum(part is not None for part in done) != 1:
            raise ValueError("an action is one of task, tag, set, notify")
        return self


class Workflow(Definition):
    """What is done when something happens to a record.

    Attributes:
        workflow: Its name.
        meaning: What it is for.
        owner: Who answers for it.
        entity: What it looks at.
        when: What has to hold of the record; ``today`` makes it a matter of the date.
        once_per: Fields that make an event another one when their value is another; without any,
            a record has one event for ever.
        then: What is done, once for each event.
    """

    workflow: str
    meaning: str = ""
    owner: str = ""
    entity: str
    when: Condition
    once_per: tuple[str, ...] = ()
    then: tuple[Action, ...] = Field(min_length=1)


def process_faults(
    entities: Mapping[str, EntityDefinition],
    vocabularies: Mapping[str, Vocabulary],
    pipelines: Mapping[str, Pipeline],
    lifecycles: Mapping[str, Lifecycle],
    workflows: Mapping[str, Workflow],
    broken: frozenset[tuple[str, str]] = frozenset(),
) -> Iterator[ReferenceFault]:
    """Every stage, entity or field that is named and does not exist; two pipelines of one name.

    What refers to a ``broken`` definition (kind, name) is not blamed for it.
    """
    yield from _pipeline_faults(pipelines, vocabularies)
    stages = _values(vocabularies, LIFECYCLE_STAGES)
    for name, lifecycle in lifecycles.items():
        if name not in entities and ("entities", name) not in broken:
            yield "lifecycles", name, ("lifecycle",), *unknown("entity", name, entities)
        for place, stage in enumerate(lifecycle.stages):
            if stages and stage not in stages:
                yield "lifecycles", name, ("stages", place), *unknown("stage", stage, stages)
    for name, workflow in workflows.items():
        if ("entities", workflow.entity) not in broken:
            yield from _workflow_faults(name, workflow, entities)


def _values(vocabularies: Mapping[str, Vocabulary], name: str) -> tuple[str, ...]:
    return tuple(vocabularies[name].values) if name in vocabularies else ()


def _pipeline_faults(
    pipelines: Mapping[str, Pipeline], vocabularies: Mapping[str, Vocabulary]
) -> Iterator[ReferenceFault]:
    stages = _values(vocabularies, DEAL_STAGES)
    named: dict[str, str] = {}
    for name, pipeline in pipelines.items():
        for stage in pipeline.stages:
            if stages and stage not in stages:
                yield "pipelines", name, ("stages", stage), *unknown("stage", stage, stages)
        for spelling in (name, *pipeline.synonyms):
            other = named.setdefault(spelling.strip().lower(), name)
            if other != name:
                message = f"{spelling!r} means both {other!r} and {name!r}"
                yield "pipelines", name, ("synonyms",), message, "leave it in one of them"
    defaults = [name for name, pipeline in pipelines.items() if pipeline.default]
    for name in defaults[1:]:
        message = f"{defaults[0]!r} is the default pipeline already"
        yield "pipelines", name, ("default",), message, "let one of them be the default"


def _workflow_faults(
    name: str, workflow: Workflow, entities: Mapping[str, EntityDefinition]
) -> Iterator[ReferenceFault]:
    entity = entities.get(workflow.entity)
    if entity is None:
        yield "workflows", name, ("entity",), *unknown("entity", workflow.entity, entities)
        return
    for place, field in enumerate(workflow.once_per):
        if field not in entity.fields:
            yield "workflows", name, ("once_per", place), *unknown("field", field, entity.fields)
    for place, action in enumerate(workflow.then):
        if action.set_ is not None and action.set_.field not in entity.fields:
            faults = unknown("field", action.set_.field, entity.fields)
            yield "workflows", name, ("then", place, "set", "field"), *faults
    # a condition is checked as that of a rule about the entity would be
    rule = RecordRule(
        code=f"{workflow.entity}.workflow", title="-", message="-", expect=workflow.when
    )
    for way, message, hint in rule_faults(entity.model_copy(update={"rules": (rule,)}), entities):
        if way[:3] == ("rules", 0, "expect"):
            yield "workflows", name, ("when", *way[3:]), message, hint
