"""Symbols as a person would say them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.views.names import readable_name, short_name

EXAMPLES = [
    # Rust, legacy and v0
    ("demo::handlers::render::hdeadbeefdeadbeef", "demo::handlers::render", "handlers::render"),
    (
        "<alloc::vec::Vec<T> as core::iter::traits::collect::FromIterator<I>>::from_iter",
        "alloc::vec::Vec<T>::from_iter",
        "Vec<T>::from_iter",
    ),
    ("<&mut T as core::fmt::Write>::write_str", "T::write_str", "T::write_str"),
    ("<dyn core::any::Any + core::marker::Send>::is", "core::any::Any::is", "Any::is"),
    ("<<T as A>::B as C>::d", "T::B::d", "B::d"),
    ("<[T] as alloc::slice::Concat<Item>>::concat", "[T]::concat", "[T]::concat"),
    (
        "core[8a1b2c3d4e5f6789]::ptr::drop_in_place::<alloc::string::String>",
        "core::ptr::drop_in_place",
        "ptr::drop_in_place",
    ),
    (
        "core::ptr::drop_in_place<alloc::vec::Vec<alloc::string::String>>",
        "core::ptr::drop_in_place<…>",
        "ptr::drop_in_place<…>",
    ),
    (
        "server::main::{{closure}}::{{closure}}::h0123456789abcdef",
        "server::main::{closure}::{closure}",
        "server::main::{closure}::{closure}",
    ),
    (
        "tokio::runtime::scheduler::multi_thread::worker::Context::run_task",
        "tokio::runtime::scheduler::multi_thread::worker::Context::run_task",
        "Context::run_task",
    ),
    ("alloc::vec::Vec<u8>::push", "alloc::vec::Vec<u8>::push", "Vec<u8>::push"),
    # C++
    ("foo(int, char const*)", "foo", "foo"),
    (
        "ns::Klass::method(std::vector<int, std::allocator<int> > const&) const",
        "ns::Klass::method",
        "Klass::method",
    ),
    (
        "void std::sort<int*, bool (*)(int, int)>(int*, int*, bool (*)(int, int))",
        "std::sort<…>",
        "std::sort<…>",
    ),
    (
        "ns::(anonymous namespace)::helper()",
        "ns::(anonymous namespace)::helper",
        "(anonymous namespace)::helper",
    ),
    (
        "std::function<void (int)>::operator()(int) const",
        "std::function<void (int)>::operator()",
        "function<void (int)>::operator()",
    ),
    ("bool operator<(A const&, B const&)", "operator<", "operator<"),
    ("Foo::operator bool() const", "Foo::operator bool", "Foo::operator bool"),
    ("work.part.0.cold", "work", "work"),
    ("work(int) [clone .cold]", "work", "work"),
    # Go
    ("net/http.(*conn).serve", "http.(*conn).serve", "http.(*conn).serve"),
    (
        "github.com/gin-gonic/gin.(*Engine).ServeHTTP",
        "gin.(*Engine).ServeHTTP",
        "gin.(*Engine).ServeHTTP",
    ),
    ("main.main.func1", "main.main.func1", "main.main.func1"),
    # Runtimes that write perf maps
    ("py::handler:/srv/app/views.py", "handler (views.py)", "handler (views.py)"),
    (
        "LazyCompile:*render /srv/app/index.js:12:3",
        "render index.js:12:3",
        "render index.js:12:3",
    ),
    ("JS:~ /srv/a.js:1:1", "(anonymous) a.js:1:1", "(anonymous) a.js:1:1"),
    ("Lcom/example/Foo;::bar", "Foo::bar", "Foo::bar"),
    # Kernel, and what has no name
    ("tcp_sendmsg_locked", "tcp_sendmsg_locked", "tcp_sendmsg_locked"),
    ("[unknown]", "[unknown]", "[unknown]"),
    ("0x7f1234", "0x7f1234", "0x7f1234"),
    ("(caller lost in libc)", "(caller lost in libc)", "(caller lost in libc)"),
]


@pytest.mark.parametrize(("symbol", "readable", "short"), EXAMPLES)
def test_examples(symbol: str, readable: str, short: str) -> None:
    """Compilers' additions go first, module paths next."""
    assert readable_name(symbol) == readable
    assert short_name(symbol) == short


@given(st.text("ab:<>()[]{} ,&*.-/{}=~", max_size=40))
def test_any_text_has_a_name(symbol: str) -> None:
    """No text, however broken its brackets are, ends in an error or in nothing."""
    assert readable_name(symbol) or not symbol
    assert short_name(symbol) or not symbol


def test_long_nested_symbol() -> None:
    """Deep generics neither recurse nor take long."""
    assert short_name("a::f<" * 100 + "x" + ">" * 100) == "a::f<…>"
