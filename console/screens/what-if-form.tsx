import { useState } from 'preact/hooks';
import type { HypotheticalChange, StatusView } from '../../core/protocol/views.ts';
import { hostAdded, type NewHost } from '../model/what-if.ts';

type Kind = HypotheticalChange['change'];

const KINDS: readonly (readonly [Kind, string])[] = [
  ['host-down', 'Host fails'],
  ['host-added', 'Host added'],
  ['definition', 'Definition'],
];

interface FormProps {
  readonly status: StatusView;
  readonly onAdd: (change: HypotheticalChange) => void;
}

export function AddChange(props: FormProps) {
  const [kind, setKind] = useState<Kind>('host-down');
  return (
    <>
      <fieldset class="segments">
        <legend class="sr">Kind of change</legend>
        {KINDS.map(([key, says]) => (
          <label key={key} class={kind === key ? 'chosen' : ''}>
            <input type="radio" name="kind" class="sr" checked={kind === key} onChange={() => setKind(key)} />
            {says}
          </label>
        ))}
      </fieldset>
      {kind === 'host-down' && <HostDown {...props} />}
      {kind === 'host-added' && <HostAdded {...props} />}
      {kind === 'definition' && <NewDefinition {...props} />}
    </>
  );
}

function HostDown({ status, onAdd }: FormProps) {
  const [host, setHost] = useState(status.hosts[0]?.name ?? '');
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (host !== '') onAdd({ change: 'host-down', host });
      }}
    >
      <label class="field">
        <span>Host</span>
        <select value={host} onChange={(event) => setHost(event.currentTarget.value)}>
          {status.hosts.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" disabled={host === ''}>
        Add
      </button>
    </form>
  );
}

const EMPTY: NewHost = { name: '', zone: '', cpu: '', memoryMb: '' };
const FIELDS: readonly (readonly [keyof NewHost, string])[] = [
  ['name', 'Name'],
  ['zone', 'Zone (optional)'],
  ['cpu', 'CPU (optional)'],
  ['memoryMb', 'Memory in MB (optional)'],
];

function HostAdded({ onAdd }: FormProps) {
  const [host, setHost] = useState<NewHost>(EMPTY);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onAdd(hostAdded(host));
        setHost(EMPTY);
      }}
    >
      {FIELDS.map(([field, says]) => (
        <label class="field" key={field}>
          <span>{says}</span>
          <input
            type="text"
            required={field === 'name'}
            inputMode={field === 'cpu' || field === 'memoryMb' ? 'decimal' : 'text'}
            value={host[field]}
            onInput={(event) => setHost({ ...host, [field]: event.currentTarget.value })}
          />
        </label>
      ))}
      <button type="submit" class="primary" disabled={host.name.trim() === ''}>
        Add
      </button>
    </form>
  );
}

function NewDefinition({ onAdd }: FormProps) {
  const [yaml, setYaml] = useState('');
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onAdd({ change: 'definition', yaml });
      }}
    >
      <label class="field">
        <span>The whole definition as YAML, as you would apply it</span>
        <textarea rows={10} spellcheck={false} value={yaml} onInput={(event) => setYaml(event.currentTarget.value)} />
      </label>
      <button type="submit" class="primary" disabled={yaml.trim() === ''}>
        Add
      </button>
    </form>
  );
}
