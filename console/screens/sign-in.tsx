import { useState } from 'preact/hooks';
import { enter, page } from '../data/live.ts';
import { keepToken } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { Trouble } from '../parts/notice.tsx';
import { Title } from '../parts/title.tsx';

export function SignIn() {
  const trouble = useStore(page, ({ tokenTrouble }) => tokenTrouble);
  const [token, setToken] = useState('');
  return (
    <form
      class="card sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== '') enter(keepToken(token.trim()));
      }}
    >
      <Title tab="Sign in">Sign in</Title>
      <p class="aside">The API asks for its token. It is kept in this tab only, and forgotten when you close it.</p>
      {trouble !== null && <Trouble says={trouble} />}
      <label class="field">
        <span>Token</span>
        <input
          type="password"
          autocomplete="off"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  );
}
