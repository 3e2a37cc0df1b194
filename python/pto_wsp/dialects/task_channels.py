"""The `task` dialect's pipelines: processes that take turns, and the channels between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from typing_extensions import Self
from xdsl.dialects.builtin import IndexType, IntAttr, StringAttr
from xdsl.ir import (
    Attribute,
    Block,
    Operation,
    ParametrizedAttribute,
    Region,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import (
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    param_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import EffectInstance, MemoryEffect, NoTerminator, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.syntax import (
    CustomSyntax,
    integer,
    new_body,
    parse_body,
    parse_value,
    print_body,
    print_values,
)
from pto_wsp.dialects.task_types import TICK


@irdl_attr_definition
class ChannelType(ParametrizedAttribute, TypeAttribute):
    """A channel whose tokens have so many numbers: `!task.channel<1>`."""

    name = "task.channel"

    width: IntAttr = param_def(converter=integer)

    def verify(self) -> None:
        if self.width.data < 0:
            raise VerifyException(f"a token has 0 numbers or more, got {self.width.data}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return [IntAttr(parser.parse_integer(allow_boolean=False, allow_negative=False))]

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(str(self.width.data))


class _Ticks(MemoryEffect):
    """Virtual time sees it."""

    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance]:
        return {TICK}


class _TicksAround(RecursiveMemoryEffect):
    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance] | None:
        nested = super().get_effects(op)
        return None if nested is None else nested | {TICK}


@irdl_op_definition
class ChannelOp(CustomSyntax):
    """A way for tokens from one process to another: `%c = task.channel "full" depth 2 width 1`.

    A token is `width` numbers. Up to `depth` tokens wait to be taken; with 0 the receiver is there.
    """

    name = "task.channel"

    channel_name_attr = prop_def(StringAttr, prop_name="channel_name")
    depth_attr = prop_def(IntAttr, prop_name="depth")
    result = result_def(ChannelType)

    traits = traits_def(_Ticks())

    def __init__(self, name: str, depth: int, width: int):
        super().__init__(
            properties={"channel_name": StringAttr(name), "depth": IntAttr(depth)},
            result_types=[ChannelType(width)],
        )
        if SSAValue.is_valid_name(name):
            self.result.name_hint = name

    @property
    def channel_name(self) -> str:
        return self.channel_name_attr.data

    @property
    def depth(self) -> int:
        return self.depth_attr.data

    @property
    def width(self) -> int:
        return channel_type(self.result).width.data

    @property
    def sends(self) -> tuple[SendOp, ...]:
        """In the order of their text."""
        users = {use.operation for use in self.result.uses}
        pipeline = self.parent_op()
        assert pipeline is not None
        return tuple(op for op in pipeline.walk() if op in users and isinstance(op, SendOp))

    @property
    def consumers(self) -> tuple[ConsumeOp, ...]:
        users = (use.operation for use in self.result.uses)
        return tuple(user for user in users if isinstance(user, ConsumeOp))

    def verify_(self) -> None:
        if not isinstance(self.parent_op(), PipelineOp):
            raise VerifyException("a channel is declared in a pipeline, beside its processes")
        if self.depth < 0:
            raise VerifyException(f"a depth is at least 0, got {self.depth}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        name = parser.parse_str_literal()
        parser.parse_keyword("depth")
        depth = parser.parse_integer(allow_boolean=False)
        parser.parse_keyword("width")
        return cls(name, depth, parser.parse_integer(allow_boolean=False))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.channel_name)
        printer.print_string(f" depth {self.depth} width {self.width}")


def channel_type(value: SSAValue) -> ChannelType:
    """The type of a value that is a channel."""
    assert isinstance(value.type, ChannelType)
    return value.type


def channel_of(value: SSAValue) -> ChannelOp:
    """The channel that a value is."""
    assert isinstance(value.owner, ChannelOp)
    return value.owner


@irdl_op_definition
class PipelineOp(CustomSyntax):
    """Channels and the processes between them, which take turns: `task.pipeline {..}`.

    Values are as if each token went through the pipeline alone, however deep its channels are.
    """

    name = "task.pipeline"

    body = region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, body: Region | None = None):
        super().__init__(regions=[new_body(body)])

    @property
    def channels(self) -> tuple[ChannelOp, ...]:
        return tuple(op for op in self.body.block.ops if isinstance(op, ChannelOp))

    @property
    def processes(self) -> tuple[ProcessOp, ...]:
        return tuple(op for op in self.body.block.ops if isinstance(op, ProcessOp))

    def verify_(self) -> None:
        if any(isinstance(parent, ProcessOp) for parent in _parents(self)):
            raise VerifyException("a pipeline is inside of no other one's process")
        for op in self.body.block.ops:
            if (op.regions and not isinstance(op, ProcessOp)) or op.name == "task.launch":
                raise VerifyException("a pipeline holds channels and processes: all else in these")
        names = [channel.channel_name for channel in self.channels]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise VerifyException(f"two channels are named {name}")
        for channel in self.channels:
            _verify_ends(channel)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_body(parser))

    def print_syntax(self, printer: Printer) -> None:
        print_body(printer, self.body)


def _verify_ends(channel: ChannelOp) -> None:
    name = f"channel {channel.channel_name}"
    senders = {process_of(op) for op in channel.sends}
    receivers = {process_of(op) for op in channel.consumers}
    if len(senders) != 1:
        raise VerifyException(f"{name} has one sending process, got {len(senders)}")
    if len(channel.consumers) != 1:
        raise VerifyException(f"{name} is consumed once, got {len(channel.consumers)}")
    pipeline = channel.parent_op()
    assert isinstance(pipeline, PipelineOp)
    order = [part for part in pipeline.processes if part in senders | receivers]
    if len(order) != 2 or order[0] not in senders:
        raise VerifyException(f"{name} leads from a process to one below it")


def _parents(op: Operation) -> Iterator[Operation]:
    parent = op.parent_op()
    while parent is not None:
        yield parent
        parent = parent.parent_op()


def process_of(op: Operation) -> ProcessOp | None:
    """The process that an op is in."""
    return next((parent for parent in _parents(op) if isinstance(parent, ProcessOp)), None)


@irdl_op_definition
class ProcessOp(CustomSyntax):
    """One side of channels: `task.process "load" {..}`, or `task.process "work" (%r) in (4) {..}`.

    Of several replicas, the r-th of n receives tokens r, r + n, .. of every channel.
    """

    name = "task.process"

    process_name_attr = prop_def(StringAttr, prop_name="process_name")
    replicas_attr = prop_def(IntAttr, prop_name="replicas")
    body = region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, name: str, replicas: int = 1, body: Region | None = None):
        """Without a body, an empty block with the replica's number as its argument is made."""
        if body is None:
            body = Region(Block(arg_types=[IndexType()]))
        properties = {"process_name": StringAttr(name), "replicas": IntAttr(replicas)}
        super().__init__(properties=properties, regions=[body])

    @property
    def process_name(self) -> str:
        return self.process_name_attr.data

    @property
    def replicas(self) -> int:
        return self.replicas_attr.data

    @property
    def replica(self) -> SSAValue:
        return self.body.block.args[0]

    @property
    def sends(self) -> tuple[ChannelOp, ...]:
        """The channels that it sends to, in the order of their text."""
        ops = (op for op in self.walk() if isinstance(op, SendOp))
        return tuple(dict.fromkeys(channel_of(op.channel) for op in ops))

    @property
    def receives(self) -> tuple[ChannelOp, ...]:
        """The channels that it consumes, in the order of their text."""
        ops = (op for op in self.walk() if isinstance(op, ConsumeOp))
        return tuple(channel_of(op.channel) for op in ops)

    def verify_(self) -> None:
        if not isinstance(self.parent_op(), PipelineOp):
            raise VerifyException("a process is part of a pipeline")
        if self.replicas < 1:
            raise VerifyException(f"a process has at least 1 replica, got {self.replicas}")
        if [argument.type for argument in self.body.block.args] != [IndexType()]:
            raise VerifyException("a process has one index argument: the replica's number")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        name = parser.parse_str_literal()
        replicas = 1
        if parser.parse_optional_punctuation("(") is None:
            body = parse_body(parser)
            body.block.insert_arg(IndexType(), 0)
            return cls(name, replicas, body)
        argument = parser.parse_argument(expect_type=False).resolve(IndexType())
        parser.parse_punctuation(")")
        parser.parse_keyword("in")
        with parser.in_parens():
            replicas = parser.parse_integer(allow_boolean=False)
        return cls(name, replicas, parse_body(parser, [argument]))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.process_name)
        if self.replicas > 1 or self.replica.uses:
            printer.print_string(" (")
            printer.print_ssa_value(self.replica)
            printer.print_string(f") in ({self.replicas})")
        print_body(printer, self.body)


@irdl_op_definition
class SendOp(CustomSyntax):
    """Sends a token, and waits for a place for it: `task.send %full(%i)`."""

    name = "task.send"

    channel = operand_def(ChannelType)
    values = var_operand_def(IndexType())

    traits = traits_def(_Ticks())

    def __init__(self, channel: SSAValue, values: Sequence[SSAValue]):
        super().__init__(operands=[channel, values])

    def verify_(self) -> None:
        if process_of(self) is None:
            raise VerifyException("a process sends")
        width = channel_type(self.channel).width.data
        if len(self.values) != width:
            raise VerifyException(f"a token has {width} numbers, got {len(self.values)}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        channel = parse_value(parser)
        values = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: parse_value(parser)
        )
        return cls(channel, values)

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.channel)
        printer.print_string("(")
        print_values(printer, self.values)
        printer.print_string(")")


@irdl_op_definition
class ConsumeOp(CustomSyntax):
    """Its body for one token after the other, until every sender has ended.

    `task.consume (%i) from %full {..}`: each body waits for the one before it in its process.
    """

    name = "task.consume"

    channel = operand_def(ChannelType)
    body = region_def("single_block")

    traits = traits_def(NoTerminator(), _TicksAround())

    def __init__(self, channel: SSAValue, body: Region | None = None):
        """Without a body, an empty block with one index argument per number is made."""
        if body is None:
            width = channel_type(channel).width.data
            body = Region(Block(arg_types=[IndexType()] * width))
        super().__init__(operands=[channel], regions=[body])

    @property
    def values(self) -> tuple[SSAValue, ...]:
        """The numbers of the token."""
        return tuple(self.body.block.args)

    def verify_(self) -> None:
        parent = self.parent_op()
        while parent is not None and parent.name == "task.combine":
            parent = parent.parent_op()
        if not isinstance(parent, ProcessOp):
            raise VerifyException(
                "a process consumes a channel once, until it ends: outside of loops and conditions"
            )
        width = channel_type(self.channel).width.data
        if [value.type for value in self.values] != [IndexType()] * width:
            raise VerifyException(f"a token has {width} numbers, got {len(self.values)} arguments")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        arguments = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN,
            lambda: parser.parse_argument(expect_type=False).resolve(IndexType()),
        )
        parser.parse_keyword("from")
        channel = parse_value(parser)
        return cls(channel, parse_body(parser, arguments))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" (")
        print_values(printer, self.values)
        printer.print_string(") from ")
        printer.print_ssa_value(self.channel)
        print_body(printer, self.body)
