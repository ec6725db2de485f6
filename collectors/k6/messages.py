"""The protobuf messages of Prometheus remote write 1.0, built from their field numbers.

Source: Prometheus' public `types.proto` and `remote.proto`. Only the fields that k6 sends are
declared; whatever else a message holds is skipped by protobuf itself.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "flashpoint.prometheus"

_TYPES = {
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
    "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    "sint32": descriptor_pb2.FieldDescriptorProto.TYPE_SINT32,
    "sint64": descriptor_pb2.FieldDescriptorProto.TYPE_SINT64,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
}

# Strings are declared as bytes, so that bad UTF-8 reaches the sanitiser instead of an exception.
_MESSAGES: Final[dict[str, dict[str, tuple[int, str]]]] = {
    "Label": {"name": (1, "bytes"), "value": (2, "bytes")},
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64")},
    "BucketSpan": {"offset": (1, "sint32"), "length": (2, "uint32")},
    "Histogram": {
        "count_int": (1, "uint64"),
        "count_float": (2, "double"),
        "sum": (3, "double"),
        "schema": (4, "sint32"),
        "zero_threshold": (5, "double"),
        "zero_count_int": (6, "uint64"),
        "zero_count_float": (7, "double"),
        "negative_spans": (8, "BucketSpan*"),
        "negative_deltas": (9, "sint64*"),
        "negative_counts": (10, "double*"),
        "positive_spans": (11, "BucketSpan*"),
        "positive_deltas": (12, "sint64*"),
        "positive_counts": (13, "double*"),
        "timestamp": (15, "int64"),
    },
    "TimeSeries": {
        "labels": (1, "Label*"),
        "samples": (2, "Sample*"),
        "histograms": (4, "Histogram*"),
    },
    "WriteRequest": {"timeseries": (1, "TimeSeries*")},
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="flashpoint/remote_write.proto", package=_PACKAGE, syntax="proto3"
    )
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for field_name, (number, spelling) in fields.items():
            field = message.field.add(name=field_name, number=number)
            field.label = (
                descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
                if spelling.endswith("*")
                else descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
            )
            plain = spelling.removesuffix("*")
            if plain in _TYPES:
                field.type = _TYPES[plain]
            else:
                field.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{plain}"
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())


def _message_class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


TimeSeries: Final = _message_class("TimeSeries")
"""One series: `labels`, and its newest `samples` or `histograms`."""
WriteRequest: Final = _message_class("WriteRequest")
"""A push: `timeseries`."""
