// Who asks: the token that goes along with every request of an element.

/** Headers for a token: a text, or a function that gives one, now or later; none without. */
async function bearer(token) {
  const text = typeof token === 'function' ? await token() : token;
  return text ? { authorization: `Bearer ${text}` } : {};
}
