//! The built-in server of Flashpoint: every route burns a known amount of CPU in a function of its
//! own, and `GET /cost` tells how much that was, so that a profile of it can be checked.
//!
//! HTTP/1.1 with keep-alive on 127.0.0.1, one thread a connection. `server.py` is its twin: the same
//! routes, the same functions, the same answers.
//!
//! Sockets and CPU clocks are reached by bare system calls: frame pointers don't survive libc's
//! wrappers, and a stack that ends in one of them has lost its callers.

use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

const MAX_CONNECTIONS: usize = 900; // below the usual limit of 1024 open files
const MAX_HEAD_BYTES: usize = 8192;
const MAX_BODY_BYTES: usize = 65536;
const IDLE_LIMIT: Duration = Duration::from_secs(120);
const STACK_BYTES: usize = 256 * 1024;
const PAGE_BYTES: usize = 4096;
const ORDERS: u64 = 60;
const FACTOR_MIN: f64 = 0.01;
const FACTOR_MAX: f64 = 100.0;

// ---- costs ------------------------------------------------------------------------------------

/// What one named function costs, and has cost so far.
struct Cost {
    name: &'static str,
    /// Turns of the function's loop at factor 1; 2 to 3 ns each on a machine of 2024.
    rounds: u64,
    factor_bits: AtomicU64,
    cpu_ns: AtomicU64,
    calls: AtomicU64,
}

static RENDER_GREETING: Cost = Cost::new("render_greeting", 1_000);
static MINE_BLOCK: Cost = Cost::new("mine_block", 160_000);
static BUILD_DOCUMENT: Cost = Cost::new("build_document", 24_000);
static WRITE_JSON: Cost = Cost::new("write_json", 12_000);
static UPDATE_LEDGER: Cost = Cost::new("update_ledger", 25_000);
static FILL_PAGE: Cost = Cost::new("fill_page", 10_000);
static COSTS: [&Cost; 6] = [
    &RENDER_GREETING,
    &MINE_BLOCK,
    &BUILD_DOCUMENT,
    &WRITE_JSON,
    &UPDATE_LEDGER,
    &FILL_PAGE,
];

impl Cost {
    const fn new(name: &'static str, rounds: u64) -> Self {
        Cost {
            name,
            rounds,
            factor_bits: AtomicU64::new(0x3ff0_0000_0000_0000), // 1.0
            cpu_ns: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        }
    }

    fn factor(&self) -> f64 {
        f64::from_bits(self.factor_bits.load(Relaxed))
    }

    fn scaled_rounds(&self) -> u64 {
        (self.rounds as f64 * self.factor()) as u64
    }

    /// Runs `work` and adds the CPU time of this thread meanwhile.
    #[inline(always)]
    fn account<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = kernel::cpu_ns(kernel::THREAD_CLOCK);
        let result = work();
        let spent = kernel::cpu_ns(kernel::THREAD_CLOCK) - before;
        self.cpu_ns.fetch_add(spent, Relaxed);
        self.calls.fetch_add(1, Relaxed);
        result
    }
}

/// One turn of every loop below: xorshift, so that each turn needs the one before.
#[inline(always)]
fn mix(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}

#[inline(never)]
fn render_greeting(rounds: u64, out: &mut Vec<u8>) {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..rounds {
        state = mix(black_box(state));
    }
    black_box(state);
    out.extend_from_slice(b"hello\n");
}

#[inline(never)]
fn mine_block(rounds: u64, header: u64) -> u64 {
    let mut hash = header | 1;
    let mut lowest = u64::MAX;
    for nonce in 0..rounds {
        hash = mix(black_box(hash ^ nonce) | 1);
        lowest = lowest.min(hash);
    }
    lowest
}

/// Blocks take between 0.4 and 1.6 times the average. The share comes from the multiples of the
/// golden ratio, which fill the range evenly: the average holds after a few calls, and no two
/// percentiles of the latency fall into one narrow peak.
fn block_rounds(number: u64, average: u64) -> u64 {
    let even = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let share = 0.4 + 1.2 * (even as f64 / 4_294_967_296.0);
    (average as f64 * share) as u64
}

struct Order {
    id: u64,
    price_cents: u64,
    customer: String,
    quantities: Vec<u64>,
}

#[inline(never)]
fn build_document(rounds: u64) -> Vec<Order> {
    let mut orders = Vec::with_capacity(ORDERS as usize);
    let mut state = 0x2545_f491_4f6c_dd1d;
    for id in 0..ORDERS {
        for _ in 0..rounds / ORDERS {
            state = mix(black_box(state));
        }
        let mut customer = String::with_capacity(12);
        for letter in 0..12 {
            customer.push((b'a' + (state >> (4 * letter)) as u8 % 26) as char);
        }
        orders.push(Order {
            id,
            price_cents: state % 100_000,
            customer,
            quantities: vec![state % 7, state % 11, state % 13],
        });
    }
    orders
}

#[inline(always)]
fn write_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Writes the orders and a checksum over what was written; the customers hold letters only.
#[inline(never)]
fn write_json(rounds: u64, orders: &[Order], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(b"{\"orders\":[");
    for order in orders {
        out.extend_from_slice(if order.id == 0 {
            b"{\"id\":"
        } else {
            b",{\"id\":"
        });
        write_number(order.id, out);
        out.extend_from_slice(b",\"price_cents\":");
        write_number(order.price_cents, out);
        out.extend_from_slice(b",\"customer\":\"");
        out.extend_from_slice(order.customer.as_bytes());
        out.extend_from_slice(b"\",\"quantities\":[");
        for (index, quantity) in order.quantities.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_number(*quantity, out);
        }
        out.extend_from_slice(b"]}");
    }
    let text = &out[start..];
    let mut checksum = text.len() as u64;
    let mut at = 0;
    for _ in 0..rounds {
        checksum = mix(black_box(checksum) ^ u64::from(text[at]) | 1);
        at = if at + 1 == text.len() { 0 } else { at + 1 };
    }
    out.extend_from_slice(b"],\"checksum\":");
    write_number(checksum % 1_000_000, out);
    out.extend_from_slice(b"}\n");
}

#[inline(never)]
fn update_ledger(rounds: u64, balance: &mut u64) -> u64 {
    let mut state = *balance | 1;
    for _ in 0..rounds {
        state = mix(black_box(state));
    }
    *balance = state;
    state
}

#[inline(never)]
fn fill_page(rounds: u64, page: &mut [u8; PAGE_BYTES]) {
    let mut state = 0x8530_9c1d_0be7_a5f3u64;
    for round in 0..rounds {
        state = mix(black_box(state));
        page[round as usize % PAGE_BYTES] = state as u8;
    }
}

// ---- routes -----------------------------------------------------------------------------------

static LEDGER: Mutex<u64> = Mutex::new(1);
static BLOCKS: AtomicU64 = AtomicU64::new(0);
static FILES: AtomicU64 = AtomicU64::new(0);

/// What a route answers: status, content type, body.
struct Answer {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Answer {
            status,
            content_type: "text/plain",
            body: body.into(),
        }
    }

    fn json(body: Vec<u8>) -> Self {
        Answer {
            status: 200,
            content_type: "application/json",
            body,
        }
    }
}

fn answer(request: &Request) -> Answer {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((request.target, ""));
    if let Some(name) = path.strip_prefix("/cost/") {
        return match request.method {
            "POST" => answer_factor(name, query),
            _ => Answer::text(405, "this route takes POST\n"),
        };
    }
    if !matches!(request.method, "GET" | "HEAD") {
        return Answer::text(405, "this route takes GET\n");
    }
    match path {
        "/" | "/cheap" => answer_cheap(),
        "/heavy" => answer_heavy(),
        "/json" => answer_json(),
        "/lock" => answer_lock(),
        "/fsync" => answer_fsync(),
        "/sleep" => answer_sleep(),
        "/cost" => answer_cost(),
        "/health" => Answer::text(200, "ok\n"),
        _ => Answer::text(404, "no such route\n"),
    }
}

fn answer_cheap() -> Answer {
    let mut body = Vec::with_capacity(16);
    let rounds = RENDER_GREETING.scaled_rounds();
    RENDER_GREETING.account(|| render_greeting(rounds, &mut body));
    Answer::text(200, body)
}

fn answer_heavy() -> Answer {
    let number = BLOCKS.fetch_add(1, Relaxed);
    let rounds = block_rounds(number, MINE_BLOCK.scaled_rounds());
    let hash = MINE_BLOCK.account(|| mine_block(rounds, number));
    let mut body = Vec::with_capacity(24);
    write_number(hash, &mut body);
    body.push(b'\n');
    Answer::text(200, body)
}

fn answer_json() -> Answer {
    let build_rounds = BUILD_DOCUMENT.scaled_rounds();
    let orders = BUILD_DOCUMENT.account(|| build_document(build_rounds));
    let mut body = Vec::with_capacity(8192);
    let write_rounds = WRITE_JSON.scaled_rounds();
    WRITE_JSON.account(|| write_json(write_rounds, &orders, &mut body));
    Answer::json(body)
}

fn answer_lock() -> Answer {
    let rounds = UPDATE_LEDGER.scaled_rounds();
    let mut ledger = LEDGER
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let balance = UPDATE_LEDGER.account(|| update_ledger(rounds, &mut ledger));
    drop(ledger);
    let mut body = Vec::with_capacity(24);
    write_number(balance, &mut body);
    body.push(b'\n');
    Answer::text(200, body)
}

fn answer_fsync() -> Answer {
    let mut page = [0u8; PAGE_BYTES];
    let rounds = FILL_PAGE.scaled_rounds();
    FILL_PAGE.account(|| fill_page(rounds, &mut page));
    match sync_page(&page) {
        Ok(()) => Answer::text(200, "synced\n"),
        Err(error) => Answer::text(500, format!("can't sync: {error}\n")),
    }
}

fn sync_page(page: &[u8]) -> io::Result<()> {
    let number = FILES.fetch_add(1, Relaxed);
    let name = format!("flashpoint-demo-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    file.write_all(page)?;
    file.sync_all()
}

fn answer_sleep() -> Answer {
    thread::sleep(Duration::from_millis(5));
    Answer::text(200, "slept\n")
}

fn answer_cost() -> Answer {
    let mut text = String::from("{\"functions\": {");
    for (index, cost) in COSTS.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let seconds = cost.cpu_ns.load(Relaxed) as f64 / 1e9;
        text += &format!(
            "{comma}\"{}\": {{\"cpu_seconds\": {seconds:.9}, \"calls\": {}, \"factor\": {:?}}}",
            cost.name,
            cost.calls.load(Relaxed),
            cost.factor(),
        );
    }
    let process_seconds = kernel::cpu_ns(kernel::PROCESS_CLOCK) as f64 / 1e9;
    text += &format!("}}, \"process_cpu_seconds\": {process_seconds:.9}}}\n");
    Answer::json(text.into_bytes())
}

fn answer_factor(name: &str, query: &str) -> Answer {
    let Some(cost) = COSTS.iter().find(|cost| cost.name == name) else {
        return Answer::text(404, "no such function\n");
    };
    match query
        .split('&')
        .find_map(|pair| pair.strip_prefix("factor="))
        .and_then(read_factor)
    {
        Some(factor) => {
            cost.factor_bits.store(factor.to_bits(), Relaxed);
            answer_cost()
        }
        None => Answer::text(400, "factor must be a number from 0.01 to 100\n"),
    }
}

fn read_factor(text: &str) -> Option<f64> {
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let factor = text.parse().ok()?;
    (FACTOR_MIN..=FACTOR_MAX)
        .contains(&factor)
        .then_some(factor)
}

// ---- HTTP -------------------------------------------------------------------------------------

struct Request<'a> {
    method: &'a str,
    target: &'a str,
    body_bytes: usize,
    keep_alive: bool,
}

type Refusal = (u16, &'static str);

const MALFORMED: Refusal = (400, "malformed request\n");

/// Reads a request's head, without its blank line; the error is a status and its reason.
fn parse_head(head: &[u8]) -> Result<Request<'_>, Refusal> {
    let text = std::str::from_utf8(head).map_err(|_| MALFORMED)?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or("").split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(MALFORMED);
    };
    let method_is_good = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    let target_is_good = target.starts_with('/') && target.bytes().all(|b| b.is_ascii_graphic());
    if !method_is_good || !target_is_good || !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Err(MALFORMED);
    }
    let mut request = Request {
        method,
        target,
        body_bytes: 0,
        keep_alive: version == "HTTP/1.1",
    };
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(MALFORMED)?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(MALFORMED);
        }
        apply_header(&mut request, name, value.trim_matches([' ', '\t']))?;
    }
    Ok(request)
}

fn apply_header(request: &mut Request<'_>, name: &str, value: &str) -> Result<(), Refusal> {
    if name.eq_ignore_ascii_case("content-length") {
        if !(1..=20).contains(&value.len()) || !value.bytes().all(|b| b.is_ascii_digit()) {
            return Err(MALFORMED);
        }
        request.body_bytes = value.parse().unwrap_or(usize::MAX);
        if request.body_bytes > MAX_BODY_BYTES {
            return Err((413, "body too large\n"));
        }
    } else if name.eq_ignore_ascii_case("transfer-encoding") {
        return Err((501, "no transfer encodings here\n"));
    } else if name.eq_ignore_ascii_case("connection") {
        if value.eq_ignore_ascii_case("close") {
            request.keep_alive = false;
        } else if value.eq_ignore_ascii_case("keep-alive") {
            request.keep_alive = true;
        }
    }
    Ok(())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Bad Request",
    }
}

fn write_answer(out: &mut Vec<u8>, answer: &Answer, keep_alive: bool, with_body: bool) {
    out.clear();
    out.extend_from_slice(b"HTTP/1.1 ");
    write_number(u64::from(answer.status), out);
    out.push(b' ');
    out.extend_from_slice(reason(answer.status).as_bytes());
    out.extend_from_slice(b"\r\nContent-Type: ");
    out.extend_from_slice(answer.content_type.as_bytes());
    out.extend_from_slice(b"\r\nContent-Length: ");
    write_number(answer.body.len() as u64, out);
    if !keep_alive {
        out.extend_from_slice(b"\r\nConnection: close");
    }
    out.extend_from_slice(b"\r\n\r\n");
    if with_body {
        out.extend_from_slice(&answer.body);
    }
}

fn refuse(stream: &TcpStream, status: u16, why: &'static str) {
    let mut out = Vec::new();
    write_answer(&mut out, &Answer::text(status, why), false, true);
    if kernel::send_all(stream, &out).is_ok() {
        // A reset would overtake the answer if what the client sent were left unread.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
        let mut rest = [0u8; 4096];
        for _ in 0..64 {
            if !matches!(kernel::receive(stream, &mut rest), Ok(1..)) {
                break;
            }
        }
    }
}

/// What a connection has received and not yet used.
struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    fn fill(&mut self, stream: &TcpStream) -> bool {
        let mut chunk = [0u8; 4096];
        match kernel::receive(stream, &mut chunk) {
            Ok(count @ 1..) => {
                self.bytes.extend_from_slice(&chunk[..count]);
                true
            }
            _ => false,
        }
    }

    fn head_end(&self) -> Option<usize> {
        self.bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
    }
}

/// Serves one connection until it ends, asks for the end, or sends nonsense.
#[inline(never)]
fn serve(stream: &TcpStream) {
    let mut inbox = Inbox {
        bytes: Vec::with_capacity(4096),
    };
    let mut out = Vec::with_capacity(8192);
    loop {
        let head_end = loop {
            match inbox.head_end() {
                Some(end) if end <= MAX_HEAD_BYTES => break end,
                None if inbox.bytes.len() <= MAX_HEAD_BYTES => {}
                _ => return refuse(stream, 431, "head too large\n"),
            }
            if !inbox.fill(stream) {
                return;
            }
        };
        let request = match parse_head(&inbox.bytes[..head_end]) {
            Ok(request) => request,
            Err((status, why)) => return refuse(stream, status, why),
        };
        let keep_alive = request.keep_alive;
        let request_bytes = head_end + 4 + request.body_bytes;
        write_answer(
            &mut out,
            &answer(&request),
            keep_alive,
            request.method != "HEAD",
        );
        while inbox.bytes.len() < request_bytes {
            if !inbox.fill(stream) {
                return;
            }
        }
        inbox.bytes.drain(..request_bytes);
        if kernel::send_all(stream, &out).is_err() || !keep_alive {
            return;
        }
    }
}

// ---- system calls -----------------------------------------------------------------------------

mod kernel {
    use super::{io, AsRawFd, TcpStream};

    pub const PROCESS_CLOCK: usize = 2; // CLOCK_PROCESS_CPUTIME_ID
    pub const THREAD_CLOCK: usize = 3; // CLOCK_THREAD_CPUTIME_ID

    #[cfg(target_arch = "x86_64")]
    mod calls {
        pub const READ: usize = 0;
        pub const WRITE: usize = 1;
        pub const CLOCK_GETTIME: usize = 228;

        #[inline(always)]
        pub unsafe fn call(number: usize, a: usize, b: usize, c: usize) -> isize {
            let result: isize;
            std::arch::asm!(
                "syscall",
                inlateout("rax") number as isize => result,
                in("rdi") a, in("rsi") b, in("rdx") c,
                lateout("rcx") _, lateout("r11") _,
                options(nostack),
            );
            result
        }
    }

    #[cfg(target_arch = "aarch64")]
    mod calls {
        pub const READ: usize = 63;
        pub const WRITE: usize = 64;
        pub const CLOCK_GETTIME: usize = 113;

        #[inline(always)]
        pub unsafe fn call(number: usize, a: usize, b: usize, c: usize) -> isize {
            let result: isize;
            std::arch::asm!(
                "svc 0",
                in("x8") number,
                inlateout("x0") a as isize => result,
                in("x1") b, in("x2") c,
                options(nostack),
            );
            result
        }
    }

    /// Other machines go through libc: the same answers, stacks with lost callers.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    mod calls {
        pub const READ: usize = 0;
        pub const WRITE: usize = 1;
        pub const CLOCK_GETTIME: usize = 2;

        extern "C" {
            fn read(file: i32, bytes: usize, count: usize) -> isize;
            fn write(file: i32, bytes: usize, count: usize) -> isize;
            fn clock_gettime(clock: i32, time: usize) -> i32;
        }

        pub unsafe fn call(number: usize, a: usize, b: usize, c: usize) -> isize {
            let result = match number {
                READ => read(a as i32, b, c),
                WRITE => write(a as i32, b, c),
                _ => clock_gettime(a as i32, b) as isize,
            };
            if result >= 0 {
                return result;
            }
            -(std::io::Error::last_os_error().raw_os_error().unwrap_or(5) as isize)
        }
    }

    fn transfer(number: usize, stream: &TcpStream, at: usize, len: usize) -> io::Result<usize> {
        loop {
            // SAFETY: the callers pass a slice that outlives the call.
            match unsafe { calls::call(number, stream.as_raw_fd() as usize, at, len) } {
                count @ 0.. => return Ok(count as usize),
                -4 => {} // EINTR
                error => return Err(io::Error::from_raw_os_error(-error as i32)),
            }
        }
    }

    #[inline(never)]
    pub fn receive(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        transfer(
            calls::READ,
            stream,
            buffer.as_mut_ptr() as usize,
            buffer.len(),
        )
    }

    #[inline(never)]
    pub fn send_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = transfer(calls::WRITE, stream, bytes.as_ptr() as usize, bytes.len())?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    #[repr(C)]
    struct Timespec {
        seconds: isize,
        nanoseconds: isize,
    }

    #[inline(always)]
    pub fn cpu_ns(clock: usize) -> u64 {
        let mut time = Timespec {
            seconds: 0,
            nanoseconds: 0,
        };
        // SAFETY: the kernel fills the two words of `time`.
        unsafe { calls::call(calls::CLOCK_GETTIME, clock, &raw mut time as usize, 0) };
        time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
    }
}

// ---- start ------------------------------------------------------------------------------------

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

/// One of the connections that may be open at a time; given back when dropped.
struct Place;

impl Place {
    fn take() -> Option<Place> {
        let taken = CONNECTIONS.fetch_add(1, Relaxed);
        let place = Place;
        (taken < MAX_CONNECTIONS).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        CONNECTIONS.fetch_sub(1, Relaxed);
    }
}

fn start_worker(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE_LIMIT))?;
    stream.set_write_timeout(Some(IDLE_LIMIT))?;
    let Some(place) = Place::take() else {
        let mut out = Vec::new();
        write_answer(
            &mut out,
            &Answer::text(503, "too many connections\n"),
            false,
            true,
        );
        return kernel::send_all(&stream, &out);
    };
    let worker = thread::Builder::new()
        .name("worker".into())
        .stack_size(STACK_BYTES);
    worker.spawn(move || {
        let _place = place;
        serve(&stream);
    })?;
    Ok(())
}

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "0".into());
    if argument == "--help" {
        println!("usage: server [PORT]");
        return;
    }
    let Ok(port) = argument.parse::<u16>() else {
        eprintln!("usage: server [PORT]");
        std::process::exit(2);
    };
    let listener = match TcpListener::bind(("127.0.0.1", port)) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("can't listen on 127.0.0.1:{port}: {error}");
            std::process::exit(1);
        }
    };
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    println!("listening on {address}");
    loop {
        // Out of descriptors or threads: those in use come back.
        if listener
            .accept()
            .and_then(|(stream, _)| start_worker(stream))
            .is_err()
        {
            thread::sleep(Duration::from_millis(10));
        }
    }
}
