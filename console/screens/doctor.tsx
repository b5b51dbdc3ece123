import type { DoctorCheck, StatusView } from '../../core/protocol/views.ts';
import { api } from '../data/live.ts';
import { diagnosis, subjectPlace } from '../model/doctor.ts';
import { to } from '../model/routes.ts';
import { checkMeaning } from '../model/tones.ts';
import { count, sentence } from '../model/words.ts';
import { Answer, useAsked } from '../parts/asked.tsx';
import { Badge, Glyph } from '../parts/badge.tsx';
import { More, usePages } from '../parts/more.tsx';
import { Title } from '../parts/title.tsx';

export function Doctor({ status }: { readonly status: StatusView }) {
  const { asked, again } = useAsked('doctor', () => api().doctor());
  return (
    <>
      <header class="row spread wrap">
        <Title tab="Doctor">Doctor</Title>
        <button type="button" onClick={again}>
          Look again
        </button>
      </header>
      <p class="lead">Looks for what would break a failover, before it happens.</p>
      <Answer of={asked} again={again} waiting="Looking at everything…">
        {({ checks }) => <Findings checks={checks} status={status} />}
      </Answer>
    </>
  );
}

function Findings({ checks, status }: { readonly checks: readonly DoctorCheck[]; readonly status: StatusView }) {
  const { tone, says, findings, passed } = diagnosis(checks);
  const names = {
    hosts: new Set(status.hosts.map(({ name }) => name)),
    groups: new Set(status.groups.map(({ name }) => name)),
  };
  const { shown, more, left } = usePages(findings);
  return (
    <div class="stack">
      <p class="verdict big" role="status">
        <Glyph tone={tone} /> <strong>{says}</strong>
      </p>
      {findings.length > 0 && (
        <ul class="findings">
          {shown.map((check) => (
            <li key={`${check.id} ${check.subject}`} class={`card finding ${checkMeaning(check.verdict).tone}`}>
              <div class="row spread wrap">
                <h2 class="name">
                  <Subject subject={check.subject} names={names} />
                </h2>
                <Badge of={checkMeaning(check.verdict)} />
              </div>
              <p>{sentence(check.says)}</p>
              {check.change !== null && (
                <p class="change">
                  <strong>To do:</strong> {sentence(check.change)}
                </p>
              )}
              <p class="aside">
                check <code>{check.id}</code>
              </p>
            </li>
          ))}
        </ul>
      )}
      <More left={left} onMore={more} what="findings" />
      {passed.length > 0 && (
        <details class="card" open={findings.length === 0}>
          <summary>{count(passed.length, 'check')} found nothing to do</summary>
          <ul class="passed">
            {passed.slice(0, 200).map((check) => (
              <li key={`${check.id} ${check.subject}`}>
                <Glyph tone="good" />
                <span>
                  <strong class="name">{check.subject}</strong> {sentence(check.says)}{' '}
                  <code class="aside">{check.id}</code>
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

type Names = Parameters<typeof subjectPlace>[1];

function Subject({ subject, names }: { readonly subject: string; readonly names: Names }) {
  const place = subjectPlace(subject, names);
  if (place === null) return <>{subject}</>;
  return <a href={place.kind === 'host' ? to.host(place.name) : to.group(place.name)}>{subject}</a>;
}
