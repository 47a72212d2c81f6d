// Who asks: the token that the server wants, typed once, kept for this tab, and sent along with every request.

const KEY = 'bodkin-token';
const dialog = document.querySelector('#signin');
const form = dialog.querySelector('form');
const box = form.querySelector('#token');
const told = form.querySelector('[role=alert]');
const eye = form.querySelector('.eye');
const out = document.querySelector('#signout');

let waiting = null;

/** The token, if one has been typed. */
export const token = () => sessionStorage.getItem(KEY);

/** Asks the server for something, with the token. */
export function ask(path, text = token()) {
  return fetch(path, text ? { headers: { authorization: `Bearer ${text}` } } : {});
}

/** Why the server does not let a token in; nothing when it does. */
async function fault(text) {
  if (!/^[\x21-\x7e]+$/.test(text)) return 'A token is letters, digits and signs, without blanks.';
  try {
    const answer = await ask('/v1/tables', text);
    if (answer.ok) return null;
    if (answer.status === 401) return 'The server does not know this token.';
    const { detail } = await answer.json().catch(() => ({}));
    return detail ? `The server says: ${detail}.` : `The server answered ${answer.status}.`;
  } catch {
    return 'The server does not answer. Is it still running?';
  }
}

function tell(text) {
  told.textContent = text;
  told.hidden = !text;
  if (text) box.setAttribute('aria-invalid', 'true');
  else box.removeAttribute('aria-invalid');
}

/** Asks for a token until the server takes it; `why` says what was wrong with the one before. */
export function signIn(why = '') {
  waiting ??= new Promise((resolve) => {
    sessionStorage.removeItem(KEY);
    out.hidden = true;
    box.value = '';
    tell(why);
    dialog.showModal();
    box.focus();
    form.onsubmit = async (event) => {
      event.preventDefault();
      const text = box.value.trim();
      form.classList.add('busy');
      const wrong = text ? await fault(text) : 'Type the token first.';
      form.classList.remove('busy');
      tell(wrong ?? '');
      if (wrong) {
        box.select();
        box.focus();
        return;
      }
      sessionStorage.setItem(KEY, text);
      out.hidden = false;
      box.value = '';
      waiting = null;
      dialog.close();
      resolve();
    };
  });
  return waiting;
}

// Nothing lies behind the box that could be shown without it.
dialog.addEventListener('cancel', (event) => event.preventDefault());
box.addEventListener('input', () => tell(''));
eye.addEventListener('click', () => {
  const shows = box.type === 'password';
  box.type = shows ? 'text' : 'password';
  eye.setAttribute('aria-pressed', String(shows));
  box.focus();
});
out.hidden = !token();
out.addEventListener('click', () => {
  sessionStorage.removeItem(KEY);
  location.reload();
});
