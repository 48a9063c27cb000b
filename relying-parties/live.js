// An open page learns that its session is over: the stream says so, and the page is read anew, which tells what happened.
// A stream that broke off is opened again by the browser itself.
new EventSource("/live").addEventListener("ended", () => location.reload());
