//! An HTTP client that looks like a browser to the server.

use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};

/// One connection from an address of its own: there are as many offices as connections. It is reopened when the server has closed it as
/// idle.
pub struct Client {
    pub stream: BufReader<TcpStream>,
    to: SocketAddr,
    from: SocketAddr,
}

/// An HTTP response.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The session cookie, if one was set.
    pub cookie: Option<String>,
    /// The `Location` header.
    pub location: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A text field of a JSON body.
    pub fn text(&self, name: &str) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body[name].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }
}

impl Client {
    /// Connects from a loopback address that depends on `from`.
    pub async fn new(to: SocketAddr, from: usize) -> Self {
        let from = u8::try_from(from % 250 + 2).unwrap();
        let from = SocketAddr::from(([127, 0, 0, from], 0));
        let stream = connect(to, from).await;
        Self { stream, to, from }
    }

    /// Requests a page.
    pub async fn get(&mut self, path: &str, cookie: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
        self.ask(head).await
    }

    /// Sends a client's request with its `Authorization` header; with a body it posts a form.
    pub async fn call(&mut self, path: &str, authorization: &str, body: Option<&str>) -> Answer {
        let method = if body.is_some() { "POST" } else { "GET" };
        let body = body.unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {authorization}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.ask(head).await
    }

    /// Posts a form.
    pub async fn post(&mut self, path: &str, cookie: &str, body: &str) -> Answer {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.ask(head).await
    }

    async fn ask(&mut self, request: String) -> Answer {
        if matches!(self.stream.get_ref().try_read(&mut [0]), Ok(0)) {
            self.stream = connect(self.to, self.from).await;
        }
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length, mut cookie, mut location) = (0, 0, None, String::new());
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await.unwrap();
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("location", value)) => value.clone_into(&mut location),
                Some(("set-cookie", value)) if value.starts_with("__Host-ngomon=") => {
                    cookie = value.split(';').next().map(str::to_owned);
                }
                _ => {}
            }
        }
        assert_ne!(status, 0, "the connection was closed: {request}");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        Answer {
            status,
            cookie,
            location,
            body,
        }
    }
}

async fn connect(to: SocketAddr, from: SocketAddr) -> BufReader<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from).unwrap();
    BufReader::new(socket.connect(to).await.unwrap())
}
