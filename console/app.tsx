import { useRef } from 'preact/hooks';
import type { StatusView } from '../core/protocol/views.ts';
import { page } from './data/live.ts';
import { route } from './data/route.ts';
import { useStore } from './data/store.ts';
import type { Route } from './model/routes.ts';
import { to } from './model/routes.ts';
import { AwayBanner, SwitchedOff } from './parts/away.tsx';
import { Header } from './parts/header.tsx';
import { Empty, NoteBar } from './parts/notice.tsx';
import { Title } from './parts/title.tsx';
import { Doctor } from './screens/doctor.tsx';
import { Events } from './screens/events.tsx';
import { Group } from './screens/group.tsx';
import { Host } from './screens/host.tsx';
import { Overview } from './screens/overview.tsx';
import { Run } from './screens/run.tsx';
import { Runs } from './screens/runs.tsx';
import { SignIn } from './screens/sign-in.tsx';
import { WhatIf } from './screens/what-if.tsx';

export function App() {
  const main = useRef<HTMLElement>(null);
  const at = useStore(route, (value) => value);
  const isAway = useStore(page, ({ link }) => link.is === 'away');
  return (
    <>
      <a
        class="skip"
        href="#title"
        onClick={(event) => {
          // The address after # is a screen here: the focus is moved by hand.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <Header at={at.at} />
      <AwayBanner />
      <main ref={main} tabIndex={-1} class={isAway ? 'aged' : ''}>
        <NoteBar />
        <Content at={at} />
      </main>
    </>
  );
}

function Content({ at }: { readonly at: Route }) {
  const needsToken = useStore(page, (known) => known.needsToken);
  const status = useStore(page, (known) => known.status);
  if (needsToken === true) return <SignIn />;
  if (status === null)
    return (
      <>
        <Title tab="Holdfast">Holdfast</Title>
        <p class="waiting">Asking the API for the state of the cluster…</p>
      </>
    );
  return (
    <>
      <SwitchedOff status={status} />
      <Screen at={at} status={status} />
    </>
  );
}

function Screen({ at, status }: { readonly at: Route; readonly status: StatusView }) {
  switch (at.at) {
    case 'overview':
      return <Overview status={status} />;
    case 'runs':
      return <Runs />;
    case 'run':
      return <Run key={at.run} run={at.run} />;
    case 'host':
      return <Host key={at.host} status={status} name={at.host} />;
    case 'group':
      return <Group key={at.group} status={status} name={at.group} slot={at.slot} />;
    case 'events':
      return <Events key={at.about} about={at.about} />;
    case 'what-if':
      return <WhatIf key={at.down} status={status} down={at.down} />;
    case 'doctor':
      return <Doctor status={status} />;
    case 'nowhere':
      return (
        <>
          <Title tab="Not found">There is nothing at this address</Title>
          <Empty title={at.hash}>
            <p>
              <a href={to.overview()}>Back to the overview</a>
            </p>
          </Empty>
        </>
      );
  }
}
