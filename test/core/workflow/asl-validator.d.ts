/** The package brings no types. It writes into the definition it is given. */
declare module 'asl-validator' {
  function validate(definition: unknown): {
    readonly isValid: boolean;
    readonly errorsText: (separator?: string) => string;
  };
  export = validate;
}
