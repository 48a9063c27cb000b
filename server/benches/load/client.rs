//! A browser, as far as the server sees one.

use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};

/// One connection that stays open, from an address of its own: as many offices as there are connections.
pub struct Client {
    pub stream: BufReader<TcpStream>,
}

/// What it got.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// The cookie that was set.
    pub cookie: Option<String>,
}

impl Client {
    /// Connects.
    pub async fn new(to: SocketAddr, from: usize) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        let from = u8::try_from(from % 250 + 2).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, from], 0))).unwrap();
        Self {
            stream: BufReader::new(socket.connect(to).await.unwrap()),
        }
    }

    /// Asks for a page.
    pub async fn get(&mut self, path: &str, cookie: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
        self.ask(head).await
    }

    /// Sends a form.
    pub async fn post(&mut self, path: &str, cookie: &str, body: &str) -> Answer {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.ask(head).await
    }

    async fn ask(&mut self, request: String) -> Answer {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length, mut cookie) = (0, 0, None);
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
                Some(("set-cookie", value)) => cookie = value.split(';').next().map(str::to_owned),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        Answer { status, cookie }
    }
}
