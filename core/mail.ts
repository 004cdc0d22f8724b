import { createTransport, type Transporter } from 'nodemailer';

/** A connection to a mail server, one at a time, each step of it with this deadline. Whoever makes it closes it. */
export function mailTransport(url: string, timeoutMs: number): Transporter {
  return createTransport({
    ...connectionOf(url),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
}

/** `smtp://` begins in plain text and changes to TLS where the server offers it; `smtps://` is TLS from the start. */
function connectionOf(url: string) {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  return {
    host: hostname,
    port: Number(port) || (secure ? 465 : 587),
    secure,
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  };
}
