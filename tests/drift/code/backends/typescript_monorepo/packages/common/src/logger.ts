export class Logger {
  private constructor(private readonly name: string) {}
  static for(target: { name: string }) { return new Logger(target.name); }
  info(message: string, extra?: object) { console.log(JSON.stringify({ name: this.name, message, ...extra })); }
}
export function Logged(): MethodDecorator {
  return (_target, key, descriptor: PropertyDescriptor) => {
    const original = descriptor.value;
    descriptor.value = async function (...args: unknown[]) {
      console.log(String(key), 'start');
      return original.apply(this, args);
    };
    return descriptor;
  };
}
